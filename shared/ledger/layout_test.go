package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

// What an app wrote into a large request is stored once, beside the payment,
// and comes back with it on every way.
func TestALargeRequestIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := newPayment(refA)
	p.PayerMessage, p.PayeeNote = "for the rent", "thank you"
	for i := range 20 {
		p.Metadata[fmt.Sprint("key-", i)] = strings.Repeat("v", 40)
	}
	stored := b.create(t, p)
	after, _ := b.apply(t, stored, evidence(payment.SaysSuccessful, time.Minute))
	page, err := b.memory.Query(t.Context(), table.Query{Space: table.Main, Partition: "payment#" + refA})
	if err != nil || len(page.Records) != 3 {
		t.Fatalf("%d records, %v; want the payment, its request and a delivery", len(page.Records), err)
	}
	for _, r := range page.Records {
		if _, has := r.Attributes["metadata"]; has != (r.Sort == "request") || has && r.Version != 1 {
			t.Errorf("%s has metadata: %v, version %d", r.Key, has, r.Version)
		}
	}
	feed, err := b.memory.Query(t.Context(), table.Query{Space: table.Main, Index: ledger.IndexList, Partition: "events#" + client})
	if err != nil || len(feed.Records) != 1 || feed.Records[0].Sort != "delivery#000001" {
		t.Errorf("the client's events: %v, %v", feed.Records, err)
	}
	read, err := b.Payment(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "payment", after, read)
	story, err := b.Story(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "story", after, story.Payment)
}

// What is decided says on which version of the payment: the one that it made, or
// the one that it left as it was.
func TestAuditNamesTheVersion(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := b.create(t, newPayment(refA))
	c := change(p, evidence(payment.SaysPending, time.Minute))
	c.Audit = []ledger.AuditRecord{{At: start, Direction: ledger.OutboundToProvider, Reference: refA, Method: "POST"}}
	after, _, err := b.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	again := ledger.AuditRecord{At: start.Add(time.Minute), Direction: ledger.OutboundToProvider, Reference: refA, Method: "GET"}
	if err := b.AuditUnchanged(t.Context(), after, again); err != nil {
		t.Fatal(err)
	}
	if err := b.Audit(t.Context(), ledger.AuditRecord{At: start.Add(time.Hour), Direction: ledger.InboundFromApp, Reference: refA}); err != nil {
		t.Fatal(err)
	}
	trail, err := b.AuditTrail(t.Context(), refA)
	if err != nil || len(trail) != 3 {
		t.Fatalf("%+v %v", trail, err)
	}
	type on struct {
		version   int64
		unchanged bool
	}
	var got []on
	for _, a := range trail {
		got = append(got, on{a.Version, a.Unchanged})
	}
	if want := []on{{2, false}, {2, true}, {0, false}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A clock that went back changes no order of a provider's answers.
func TestExchangesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	at := func(d time.Duration, direction ledger.Direction, note string) ledger.AuditRecord {
		return ledger.AuditRecord{At: start.Add(d), Direction: direction, Reference: refA, Method: "POST", Note: note}
	}
	if err := b.Audit(t.Context(),
		at(time.Minute, ledger.OutboundToProvider, "first"), at(time.Second, ledger.OutboundToProvider, "second"), at(0, ledger.InboundFromApp, "request"),
	); err != nil {
		t.Fatal(err)
	}
	trail, err := b.AuditTrail(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range trail {
		got = append(got, a.Note)
	}
	if want := []string{"request", "first", "second"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a payment was decided on comes back as it was, however large; what an app
// sends is cut.
func TestEvidenceIsKeptWhole(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	large := `{"qrCode":"` + strings.Repeat("A", 60<<10) + `"}`
	var want []ledger.AuditRecord
	for i, d := range []ledger.Direction{ledger.OutboundToProvider, ledger.OutboundToProvider, ledger.OutboundToProvider, ledger.InboundFromProvider, ledger.InboundFromApp} {
		a := ledger.AuditRecord{At: start.Add(time.Duration(i) * time.Second), Direction: d, Reference: refA, Method: "POST", ResponseBody: large}
		if d != ledger.OutboundToProvider {
			a.RequestBody, a.ResponseBody = large, ""
		}
		want = append(want, a)
	}
	if err := b.Audit(t.Context(), want...); err != nil { // all of it fits into one item
		t.Fatal(err)
	}
	trail, err := b.AuditTrail(t.Context(), refA)
	if err != nil || len(trail) != len(want) {
		t.Fatalf("%d records, %v", len(trail), err)
	}
	for i, a := range trail[:4] {
		if a.RequestBody != want[i].RequestBody || a.ResponseBody != want[i].ResponseBody {
			t.Errorf("%s: %d and %d bytes are left", a.Direction, len(a.RequestBody), len(a.ResponseBody))
		}
	}
	if n := len(trail[4].RequestBody); n > telemetry.MaxBody {
		t.Errorf("%d bytes of an app's request are kept", n)
	}
}

// What one write audits is one item, and comes back as each exchange was.
func TestOneWriteIsOneAuditItem(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	want := []ledger.AuditRecord{
		{At: start, Direction: ledger.InboundFromApp, Reference: refA, ClientID: client, Method: "POST", URL: "/request-to-pay", RequestBody: "{}", ResponseCode: 202, ResponseBody: "[]", Duration: time.Second},
		{At: start.Add(time.Millisecond), Direction: ledger.OutboundToProvider, Reference: refA, ClientID: client, Method: "POST", Note: "timeout"},
		{At: start.Add(time.Minute), Direction: ledger.OutboundToProvider, Reference: refA, ClientID: client, Method: "POST", ResponseCode: 200},
	}
	other := ledger.AuditRecord{At: start, Direction: ledger.InboundFromApp, ClientID: client, Note: "of no payment"}
	if err := b.Audit(t.Context(), want[1], other, want[2], want[0]); err != nil {
		t.Fatal(err)
	}
	for _, partition := range []string{"payment#" + refA, "client#" + client} {
		page, err := b.memory.Query(t.Context(), table.Query{Space: table.Audit, Partition: partition})
		if err != nil || len(page.Records) != 1 {
			t.Errorf("%s has %d items, %v", partition, len(page.Records), err)
		}
	}
	got, err := b.AuditTrail(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	item := got[0].Item
	for i := range got {
		if got[i].Item == "" || got[i].Item != item {
			t.Errorf("record %d is of item %q, not %q", i, got[i].Item, item)
		}
		got[i].Item = ""
	}
	same(t, "trail", want, got)
}
