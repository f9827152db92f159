package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
)

var providerLine = regexp.MustCompile(`(?m)^  provider +(\S+) +at (http://\S+)$`)

// call exchanges JSON with the program or a stand-in of it.
func call(t *testing.T, method, url, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Proxy-Api-Key", demoKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// standIns are where the providers answer.
func (p *process) standIns(t *testing.T) map[string]string {
	t.Helper()
	urls := map[string]string{}
	deadline := time.Now().Add(patience)
	for len(urls) < 3 { // they are printed behind the line that launch waits for
		for _, found := range providerLine.FindAllStringSubmatch(p.printed(), -1) {
			urls[found[1]] = found[2]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no providers in %s", p.printed())
		}
	}
	return urls
}

// await waits until a payment has a status.
func (p *process) await(t *testing.T, reference, status string) {
	t.Helper()
	tick, late := time.NewTicker(200*time.Millisecond), time.NewTimer(patience)
	defer tick.Stop()
	defer late.Stop()
	for {
		_, text := call(t, "GET", p.URL+"/status/"+reference, "")
		var body struct{ Status string }
		if err := json.Unmarshal(text, &body); err != nil {
			t.Fatal(err)
		}
		if body.Status == status {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("it is not %s: %s", status, text)
		}
	}
}

// The stand-ins know their open payments after a kill: each ends as its payer
// decides then, and one whose payer had said nothing yet ends by its script.
func TestOpenPaymentsSurviveAKill(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	first := launch(t, nil, "-listen", "127.0.0.1:0", "-data", data)
	bodies := map[string]string{
		"mtn":         `{"amount":"150.00","externalId":"R-1","payer":{"partyIdType":"MSISDN","partyId":"` + mtnstand.Payer(mtnstand.ScriptPending) + `"}}`,
		"mom-factura": `{"provider":"mom-factura","method":"reference","amount":"15000.10","externalId":"R-2"}`,
		"momentpay":   `{"provider":"momentpay","method":"link","amount":"150.51","externalId":"R-3"}`,
		"by script":   `{"amount":"150.00","externalId":"R-4","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`,
	}
	references := map[string]string{}
	for name, body := range bodies {
		code, text := call(t, "POST", first.URL+"/request-to-pay", body)
		var answer struct{ ReferenceID string }
		if err := json.Unmarshal(text, &answer); err != nil || code != 202 {
			t.Fatalf("%s: %d %s", name, code, text)
		}
		references[name] = answer.ReferenceID
	}
	first.end(t, os.Kill)

	second := launch(t, nil, "-listen", "127.0.0.1:0", "-data", data)
	second.await(t, references["by script"], "SUCCESSFUL")
	for _, provider := range []string{"mtn", "mom-factura", "momentpay"} {
		standIn := second.standIns(t)[provider] + "/_standin/payments"
		_, text := call(t, "GET", standIn, "")
		var known []struct{ Reference string }
		if err := json.Unmarshal(text, &known); err != nil {
			t.Fatal(err)
		}
		id := ""
		for _, p := range known {
			if provider != "mtn" || p.Reference == references["mtn"] {
				id = p.Reference
			}
		}
		if id == "" {
			t.Fatalf("%s has forgotten it: %s", provider, text)
		}
		if code, text := call(t, "POST", standIn+"/"+id+"/outcome", `{"outcome":"approve"}`); code != 200 {
			t.Fatalf("%s: %d %s", provider, code, text)
		}
		second.await(t, references[provider], "SUCCESSFUL")
	}
}
