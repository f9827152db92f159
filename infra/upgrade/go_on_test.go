package upgrade

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	queuesqlite "momoproxy/shared/queue/sqlite"
	"momoproxy/shared/table"
	tablesqlite "momoproxy/shared/table/sqlite"
)

// payer answers for MTN: the payer of a payment has approved it.
type payer struct {
	next http.RoundTripper
	of   ledger.Payment

	mu    sync.Mutex
	asked int
}

func (p *payer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/"+p.of.Reference) {
		return p.next.RoundTrip(r)
	}
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	body := fmt.Sprintf(`{"amount":%q,"currency":%q,"financialTransactionId":"tx-after","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q},"status":"SUCCESSFUL"}`,
		p.of.Amount.Decimal(), p.of.Amount.Currency, p.of.Reference, p.of.Payer)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}, nil
}

// What was in flight goes on under today's code, over the data folder as the
// release left it: an open payment is asked about and ends, an event that
// waits is delivered, and each is signed with the app's secret of then.
func TestWorkGoesOn(t *testing.T) {
	t.Parallel()
	eachRelease(t, func(t *testing.T, f fixture) {
		synctest.Test(t, func(t *testing.T) { goOn(t, f) })
	})
}

func goOn(t *testing.T, f fixture) {
	time.Sleep(time.Until(f.at))
	tab, err := tablesqlite.Open(filepath.Join(f.data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	bell, err := queuesqlite.New(tab.File(), queuesqlite.Options{Name: "deliveries", MaxReceives: 5})
	if err != nil {
		t.Fatal(err)
	}
	past := ledger.New(tab, f.ring, ledger.Options{HashPayer: f.payers.Hash})
	of := func(order string) ledger.Payment {
		p, err := past.ExternalIDHolder(t.Context(), "cli_shop", order)
		if err != nil || p.Reference == "" {
			t.Fatalf("%s: %v", order, err)
		}
		return p
	}
	open, waiting := of(orderOpen), of(orderWaiting)
	if open.Status.Ended() || waiting.Status != payment.Successful {
		t.Fatalf("before: %s and %s", open.Status, waiting.Status)
	}

	approves := &payer{of: open}
	o := testbed.Options{
		Seed:  2, // its references are not those of the fixture
		Table: func(table.Table) table.Table { return tab },
		MTN: func(next http.RoundTripper) http.RoundTripper {
			approves.next = next
			return approves
		},
	}
	w := testbed.New(t, o)
	w.Ring, w.Payers = f.ring, f.payers
	w.Restart(o)
	var shop ledger.Client
	for id, urls := range map[string][]string{"cli_shop": {testbed.ShopURL}, "cli_other": {testbed.OtherURL, goneURL, movedURL, brokenURL, slowURL}} {
		client, err := past.Client(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			w.App.Add(url, client.LegacyKey(time.Now()), client.SigningSecrets[0])
		}
		if id == "cli_shop" {
			shop = client
		}
	}
	// What was queued is of the old form.
	for {
		got, err := bell.Receive(t.Context(), 10, time.Hour, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			if err := w.Messages.Send(t.Context(), queue.Message{Body: m.Body, Group: m.Group}); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) == 0 {
			break
		}
	}
	w.Pass(20 * time.Second) // the reconciler has not run yet
	if len(w.App.Got()) == 0 {
		t.Error("a queued message of the release did nothing")
	}
	w.Pass(2 * time.Hour)

	if approves.asked == 0 {
		t.Errorf("nobody asked about %s", orderOpen)
	}
	for _, order := range []string{orderOpen, orderWaiting} {
		p := of(order)
		got := w.App.About(p.Reference)
		if p.Status != payment.Successful || len(got) != 1 || got[0].Content.Status != "SUCCESSFUL" || got[0].Content.ExternalID != order {
			t.Errorf("%s is %s, and the app got %d events: %+v", order, p.Status, len(got), got)
		}
	}
	a := w.Pay(testbed.Order(orderOpen, "26876123456"), "X-Proxy-Api-Key", shop.APIKey)
	if a.StatusCode != 409 || a.Reference() != open.Reference {
		t.Errorf("the order again: %d %s", a.StatusCode, a.Body)
	}
}
