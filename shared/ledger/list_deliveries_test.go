package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// deliver stores payment i of a client, ended at its second, whose one event
// is in that state.
func (b *books) deliver(t *testing.T, clientID string, i int, state delivery.State) (name string) {
	t.Helper()
	p := newPayment(numbered(i))
	p.ClientID, p.ExternalID = clientID, fmt.Sprint("ORDER-", i)
	p.CreatedAt = start.Add(time.Duration(i) * time.Second)
	p.UpdatedAt = p.CreatedAt
	created := b.create(t, p)
	evidence := payment.Evidence{Source: payment.FromOperator, Verdict: payment.SaysSuccessful, At: p.CreatedAt}
	_, made, err := b.Apply(t.Context(), ledger.Change{Before: created, Decision: payment.Decide(created.Payment, evidence, policy)})
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	d := made[0]
	switch d.State = state; state {
	case delivery.Held:
		d.NextAttemptAt, d.HeldReason = time.Time{}, "no_callback_url"
	case delivery.Exhausted, delivery.Delivered:
		d.NextAttemptAt = time.Time{}
	}
	if _, err := b.SaveDelivery(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s", d.Reference[len(d.Reference)-2:], state)
}

// walkDeliveries lists all pages of that limit.
func (b *books) walkDeliveries(t *testing.T, f ledger.DeliveryFilter, limit int) (names []string) {
	t.Helper()
	cursor := ""
	for range 200 {
		page, err := b.ListDeliveries(t.Context(), f, ledger.Paging{Limit: limit, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			names = append(names, fmt.Sprintf("%s %s", d.Reference[len(d.Reference)-2:], d.State))
		}
		if cursor = page.Next; page.Next == "" {
			return names
		}
	}
	t.Fatal("the walk does not end")
	return nil
}

func TestListDeliveries(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	states := []delivery.State{delivery.Delivered, delivery.Exhausted, delivery.Held, delivery.Due}
	for i := range 12 {
		b.deliver(t, client, i, states[i%4])
	}
	b.deliver(t, "cli_shopping", 20, delivery.Exhausted) // a longer id
	b.deliver(t, "cli_shopping", 21, delivery.Held)
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	for name, c := range map[string]struct {
		f    ledger.DeliveryFilter
		want []string
	}{
		"a client's": {ledger.DeliveryFilter{ClientID: client}, []string{
			"00 delivered", "01 exhausted", "02 held", "03 due", "04 delivered", "05 exhausted", "06 held", "07 due",
			"08 delivered", "09 exhausted", "10 held", "11 due",
		}},
		"by state":    {ledger.DeliveryFilter{ClientID: client, States: []delivery.State{delivery.Due}}, []string{"03 due", "07 due", "11 due"}},
		"by time":     {ledger.DeliveryFilter{ClientID: client, From: at(3), To: at(5)}, []string{"03 due", "04 delivered"}},
		"by event":    {ledger.DeliveryFilter{ClientID: client, Events: []payment.Event{"payment.failed"}}, nil},
		"exhausted":   {ledger.DeliveryFilter{States: []delivery.State{delivery.Exhausted}}, []string{"01 exhausted", "05 exhausted", "09 exhausted", "20 exhausted"}},
		"and by time": {ledger.DeliveryFilter{States: []delivery.State{delivery.Exhausted}, From: at(5), To: at(9)}, []string{"05 exhausted"}},
		"held":        {ledger.DeliveryFilter{ClientID: client, States: []delivery.State{delivery.Held}}, []string{"02 held", "06 held", "10 held"}},
		"held by time": {ledger.DeliveryFilter{States: []delivery.State{delivery.Held}, From: at(6)},
			[]string{"06 held", "10 held", "21 held"}},
		"both, of one": {ledger.DeliveryFilter{ClientID: "cli_shopping", States: []delivery.State{delivery.Held, delivery.Exhausted}},
			[]string{"20 exhausted", "21 held"}},
		"of nobody": {ledger.DeliveryFilter{ClientID: "cli_nobody"}, nil},
	} {
		for _, limit := range []int{1, 3, 100} {
			if d := cmp.Diff(c.want, b.walkDeliveries(t, c.f, limit)); d != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", name, limit, d)
			}
		}
	}
}

func TestListDeliveriesRefuses(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	for i := range 3 {
		b.deliver(t, client, i, delivery.Delivered)
	}
	if _, err := b.ListDeliveries(t.Context(), ledger.DeliveryFilter{}, ledger.Paging{Limit: 10}); err == nil {
		t.Error("everybody's deliveries were walked without an index")
	}
	f := ledger.DeliveryFilter{ClientID: client}
	page, err := b.ListDeliveries(t.Context(), f, ledger.Paging{Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatal(page.Next, err)
	}
	other := ledger.DeliveryFilter{ClientID: "cli_other"}
	for _, c := range []struct {
		f      ledger.DeliveryFilter
		cursor string
	}{{f, "nonsense"}, {f, "e30x"}, {other, page.Next}, {f, "9."}, {f, "-1."}, {f, "0"}} {
		if _, err := b.ListDeliveries(t.Context(), c.f, ledger.Paging{Limit: 1, Cursor: c.cursor}); !errors.Is(err, ledger.ErrCursor) {
			t.Errorf("%s of %q: %v", c.cursor, c.f.ClientID, err)
		}
	}
}

func TestAuditHour(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	for i := range 5 {
		at := start.Add(time.Duration(i) * 20 * time.Minute) // three to the hour
		for _, d := range []ledger.Direction{ledger.InboundFromProvider, ledger.OutboundToProvider} {
			if err := b.Audit(t.Context(), ledger.AuditRecord{At: at, Direction: d, Method: "POST", URL: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		kind ledger.AuditKind
		at   time.Time
		want []string
		of   ledger.Direction
	}{
		{ledger.AuditUnmatched, start.Add(59 * time.Minute), []string{"0", "1", "2"}, ledger.InboundFromProvider},
		{ledger.AuditProvider, start.Add(time.Hour), []string{"3", "4"}, ledger.OutboundToProvider},
		{ledger.AuditProvider, start.Add(-time.Minute), nil, ledger.OutboundToProvider},
	} {
		var got []string
		for cursor := ""; ; {
			page, err := b.AuditPage(t.Context(), ledger.AuditQuery{Kind: c.kind, Hour: c.at, Limit: 2, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page.Items {
				if got = append(got, a.URL); a.Direction != c.of {
					t.Errorf("%s: %s", c.kind, a.Direction)
				}
			}
			if cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s at %v: %v", c.kind, c.at, got)
		}
	}
	if _, err := b.AuditPage(t.Context(), ledger.AuditQuery{Kind: ledger.AuditUnmatched, Hour: start, Limit: 2, Cursor: "nonsense"}); !errors.Is(err, ledger.ErrCursor) {
		t.Error(err)
	}
}

// A disabled endpoint stays so until it is enabled; who did it is kept.
func TestDisableEndpoint(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	e, err := b.Endpoint(t.Context(), client, "https://shop.example.com:443", start)
	if err != nil {
		t.Fatal(err)
	}
	audit := ledger.AuditRecord{At: start, Direction: ledger.InboundFromApp, ClientID: client, Method: ledger.OperatorMethod, URL: "endpoint/disable", Note: "thandi"}
	off, err := b.SaveEndpoint(t.Context(), e.Disable(delivery.DisabledByOperator, start), start, audit)
	if err != nil || !off.Blocked() {
		t.Fatal(off, err)
	}
	stored, err := b.Endpoint(t.Context(), client, e.Origin, start)
	if err != nil || stored.State != delivery.EndpointDisabled || stored.DisabledReason != delivery.DisabledByOperator || !stored.DisabledAt.Equal(start) {
		t.Errorf("%+v, %v", stored, err)
	}
	if _, err := b.SaveEndpoint(t.Context(), e.Disable(delivery.DisabledByOperator, start), start, audit); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("from an old state: %v", err)
	}
	if on, err := b.SaveEndpoint(t.Context(), stored.Reopen(start), start, audit); err != nil || on.Blocked() {
		t.Error(on, err)
	}
	trail, err := b.clientTrail(t, client)
	if err != nil || len(trail) != 2 {
		t.Errorf("%v, %v", trail, err)
	}
}

// The name given stands in the audit log, and the first ledger keeps its own.
func TestOnBehalf(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c, err := b.CreateClient(t.Context(), ledger.Client{ID: client, Name: "Shop", Active: true, CreatedAt: start, APIKey: "key-1", SigningSecrets: []string{"whsec_1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.AsOperator("thandi").ChangeClient(t.Context(), c, ledger.ClientChange{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	c, err = b.Client(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.ChangeClient(t.Context(), c, ledger.ClientChange{Active: new(true)}); err != nil {
		t.Fatal(err)
	}
	trail, err := b.clientTrail(t, client)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, a := range trail {
		notes = append(notes, a.Note)
	}
	slices.Sort(notes)
	if !slices.ContainsFunc(notes, func(n string) bool { return n == "operator thandi: its requests are refused" }) ||
		!slices.Contains(notes, "operator: its requests are let in") {
		t.Errorf("%q", notes)
	}
}
