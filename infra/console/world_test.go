package console

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
)

// desk is a console in front of a whole system in memory.
type desk struct {
	*testbed.World
	*Console
	t *testing.T
}

// bubble runs f with a console in virtual time.
func bubble(t *testing.T, change func(*Options), f func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{})
		o := Options{
			Ledger: ledger.New(w.Table, w.Ring, ledger.Options{HashPayer: w.Payers.Hash}).AsOperator("thandi"), Queue: w.Queue, Settle: w.Gateway, Ask: w.Gateway,
			Providers: []string{"mtn", "mom-factura", "momentpay"}, Operator: "thandi", Place: "test", Actions: true, GatewayURL: testbed.PublicURL,
		}
		if change != nil {
			change(&o)
		}
		f(t, &desk{w, New(o), t})
	})
}

// pay takes a payment of the shop through a minute of the named life.
func (d *desk) pay(order, plan string) (reference string) {
	d.t.Helper()
	a := d.World.Pay(testbed.Order(order, mtnstand.Payer(plan)))
	if a.Reference() == "" {
		d.t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
	d.Pass(time.Minute)
	return a.Reference()
}

// send asks the console as its own page does; headers are names and values in
// turn, and an empty value takes a header out.
func (d *desk) send(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8088"
	r.Header.Set(TokenHeader, d.token)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// get reads a view.
func get[V any](d *desk, path string) (v V) {
	d.t.Helper()
	w := d.send("GET", "/api/"+path, "")
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		d.t.Fatalf("%s: %d %s %v", path, w.Code, w.Body, err)
	}
	return v
}

// post acts; what was answered.
func (d *desk) post(path, body string) (code int, answer string) {
	w := d.send("POST", "/api/"+path, body)
	return w.Code, w.Body.String()
}
