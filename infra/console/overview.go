package console

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// overview is the first screen.
type overview struct {
	Needs     []need     `json:"needs"`
	Today     today      `json:"today"`
	Providers []Provider `json:"providers"`
	Payments  []row      `json:"payments"`
}

type today struct {
	Since        time.Time `json:"since"`
	Started      int       `json:"started"`
	Paid         int       `json:"paid"`
	Failed       int       `json:"failed"`
	Open         int       `json:"open"` // of all days
	OldestOpenAt time.Time `json:"oldestOpenAt,omitzero"`
	AtLeast      bool      `json:"atLeast,omitempty"`
}

// row is a payment in a list, and its callback.
type row struct {
	Payment
	Callback *callback `json:"callback,omitempty"`
}

type callback struct {
	State   string `json:"state"`
	Code    int    `json:"code,omitempty"`
	Error   string `json:"error,omitempty"`
	Attempt int    `json:"attempt"`
}

// need is one thing that a person has to look at, with its next step.
type need struct {
	Kind      string    `json:"kind"`
	Text      string    `json:"text"`
	Since     time.Time `json:"since,omitzero"`
	Amount    string    `json:"amount,omitempty"`
	Order     string    `json:"order,omitempty"`
	Reference string    `json:"reference,omitempty"`
	Next      string    `json:"next"` // what to do
	Link      string    `json:"link,omitempty"`
	Check     bool      `json:"check,omitempty"` // the provider can be asked now
}

const (
	latestShown = 30
	// waitingListed bounds the payments that are named one by one.
	waitingListed = 20
	// longUnanswered is when a payment without an answer is worth a look: the
	// proxy asks by itself every few seconds at first.
	longUnanswered = 2 * time.Minute
	// heartbeatOld is what GET /health calls old.
	heartbeatOld = 3 * time.Minute
)

func (c *Console) overview(ctx context.Context) (any, error) {
	apps, err := c.records.apps(ctx)
	if err != nil {
		return nil, err
	}
	all, truncated, err := c.recent.all(ctx, apps, c.Every)
	if err != nil {
		return nil, err
	}
	v := overview{Today: countToday(all, c.Now()), Needs: []need{}, Payments: []row{}}
	v.Today.AtLeast = truncated
	if v.Providers, err = c.providers(ctx, all); err != nil {
		return nil, err
	}
	if v.Needs, err = c.needs(ctx, apps, all, v.Providers); err != nil {
		return nil, err
	}
	if v.Payments, err = c.rows(ctx, all[:min(len(all), latestShown)]); err != nil {
		return nil, err
	}
	v.Needs = append(v.Needs, untaken(v.Payments)...)
	return v, nil
}

// untaken lists the apps that did not take a callback of the latest payments
// and have not failed for long enough to be blocked.
func untaken(rows []row) (needs []need) {
	seen := map[string]bool{} // by app; newest first
	for _, r := range rows {
		c := r.Callback
		if c == nil || c.State != stateDue || c.Attempt == 0 {
			continue
		}
		if seen[r.App] {
			continue
		}
		answer := "did not answer"
		if c.Error != "" {
			answer = "could not be reached (" + c.Error + ")"
		} else if c.Code != 0 {
			answer = fmt.Sprintf("answered %d", c.Code)
		}
		seen[r.App] = true
		needs = append(needs, need{
			Kind: "late", Text: r.AppName + " did not take a callback: it " + answer, Since: r.EndedAt, Amount: r.Amount, Order: r.Order,
			Reference: r.Reference, Next: "Read its answer, mend the app, then send it again. The proxy tries again by itself.", Link: "#/payments/" + r.Reference,
		})
	}
	return needs
}

// rows adds to each payment the state of its callback.
func (c *Console) rows(ctx context.Context, payments []Payment) ([]row, error) {
	rows := make([]row, 0, len(payments))
	for _, p := range payments {
		r := row{Payment: p}
		if !p.Open() { // an open one has no event
			deliveries, err := c.records.deliveriesOf(ctx, p)
			if err != nil {
				return nil, err
			}
			if d, ok := announcement(deliveries); ok {
				r.Callback = &callback{d.State, d.LastCode, d.LastError, d.Attempts}
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func countToday(all []Payment, now time.Time) today {
	local := now.Local()
	t := today{Since: time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())}
	for _, p := range all {
		if p.Open() {
			t.Open++
			if t.OldestOpenAt.IsZero() || p.CreatedAt.Before(t.OldestOpenAt) {
				t.OldestOpenAt = p.CreatedAt
			}
		}
		if p.CreatedAt.Before(t.Since) {
			continue
		}
		t.Started++
		switch {
		case p.Status == "SUCCESSFUL":
			t.Paid++
		case !p.Open():
			t.Failed++
		}
	}
	return t
}

// providers adds to each circuit what today's payments show.
func (c *Console) providers(ctx context.Context, all []Payment) ([]Provider, error) {
	midnight := countToday(nil, c.Now()).Since
	shown := []Provider{}
	for _, name := range c.Providers {
		v, err := c.records.circuit(ctx, name)
		if err != nil {
			return nil, err
		}
		var took []time.Duration
		for _, p := range all {
			if p.Provider != name {
				continue
			}
			if p.Open() {
				v.OpenPayments++
				if p.Phase == "in_reconciliation" {
					v.NoAnswer++
				}
			}
			if p.CreatedAt.Before(midnight) {
				continue
			}
			v.Started++
			if p.Status == "SUCCESSFUL" {
				v.Paid++
				took = append(took, p.EndedAt.Sub(p.CreatedAt))
				if p.EndedAt.After(v.LastPaidAt) {
					v.LastPaidAt = p.EndedAt
				}
			}
		}
		if len(took) > 0 {
			slices.Sort(took)
			v.MedianMs = took[len(took)/2].Milliseconds()
		}
		if c.Local != nil {
			v.Standin, v.Down = c.Local.Standin(name)
		}
		shown = append(shown, v)
	}
	return shown, nil
}

// needs lists what a person has to look at, the most urgent first.
func (c *Console) needs(ctx context.Context, apps []App, all []Payment, providers []Provider) ([]need, error) {
	b, err := c.records.backlog(ctx)
	if err != nil {
		return nil, err
	}
	needs := []need{}
	now := c.Now()
	if age := now.Sub(b.heartbeat); !b.heartbeat.IsZero() && age > heartbeatOld {
		needs = append(needs, need{
			Kind: "reconciler", Text: "The reconciler does not run: payments are not asked about", Since: b.heartbeat,
			Next: "Look at the reconciler function and its schedule.",
		})
	}
	for _, p := range providers {
		if p.CircuitOpen {
			needs = append(needs, need{
				Kind: "provider", Text: p.DisplayName + " does not answer: new payments are refused with 503", Since: p.OpenedAt,
				Next: "The proxy tries again by itself. Ask the provider if it goes on.",
			})
		}
	}
	waiting, err := c.records.waiting(ctx, apps, waitingListed)
	if err != nil {
		return nil, err
	}
	for _, p := range waiting {
		n := need{Since: p.CreatedAt, Amount: p.Amount, Order: p.Order, Reference: p.Reference, Link: "#/payments/" + p.Reference}
		switch {
		case p.Phase == "held":
			n.Kind, n.Text = "held", "What "+p.ProviderName+" says does not match the payment"
			n.Next = "Compare both, look into the provider's portal, then settle it."
		case p.Unanswerable:
			n.Kind, n.Text = "unanswered", "The answer of "+p.ProviderName+" was lost, and it cannot be asked again"
			n.Next = "Look into the provider's portal, then settle it."
		case now.Sub(p.CreatedAt) < longUnanswered:
			continue
		default:
			n.Kind, n.Text, n.Check = "unanswered", "Payment without an answer of "+p.ProviderName, true
			n.Next = "The proxy asks again by itself. Ask now, or look into the provider's portal."
		}
		needs = append(needs, n)
	}
	if more := b.unknown - len(waiting); more > 0 {
		needs = append(needs, need{Kind: "unanswered", Text: fmt.Sprintf("%d more payments wait for an answer or a person", more),
			Next: "See them all.", Link: "#/payments?needs=1"})
	}
	needs = append(needs, paidTwice(all)...)
	endpoints, err := c.blocked(ctx, apps)
	if err != nil {
		return nil, err
	}
	needs = append(needs, endpoints...)
	if b.exhausted > 0 {
		needs = append(needs, need{
			Kind: "exhausted", Text: plural(b.exhausted, "callback") + " given up after all attempts",
			Next: "Find out why the app does not answer, then send them again.", Link: "#/deliveries?state=exhausted",
		})
	}
	if b.dead > 0 {
		needs = append(needs, need{
			Kind: "dead", Text: plural(b.dead, "queue message") + " could not be handled",
			Next: "See them with: momoctl dlq show",
		})
	}
	if b.oldestOverdue > time.Minute {
		needs = append(needs, need{
			Kind: "forwarder", Text: "Callbacks are late: the forwarder does not keep up", Since: now.Add(-b.oldestOverdue),
			Next: "Look at the forwarder function and its queue.", Link: "#/deliveries?state=due",
		})
	}
	return needs, nil
}

// paidTwice finds two successful payments of one order.
func paidTwice(all []Payment) []need {
	type order struct{ app, id string }
	paid := map[order][]Payment{}
	for _, p := range all { // newest first
		if p.Status == "SUCCESSFUL" && p.Order != "" {
			key := order{p.App, p.Order}
			paid[key] = append(paid[key], p)
		}
	}
	var needs []need
	for _, p := range all {
		key := order{p.App, p.Order}
		if found := paid[key]; len(found) > 1 && found[0].Reference == p.Reference {
			needs = append(needs, need{
				Kind: "twice", Text: fmt.Sprintf("Order paid %d times", len(found)), Since: p.EndedAt, Amount: p.Amount, Order: p.Order,
				Reference: p.Reference, Next: "Give one payment back: momoctl payment paid-twice lists both.", Link: "#/search?q=" + urlEncoded(p.Order),
			})
		}
	}
	return needs
}

// blocked lists the endpoints that nothing is sent to.
func (c *Console) blocked(ctx context.Context, apps []App) (needs []need, err error) {
	all, err := c.records.endpoints(ctx, apps)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		held := plural(e.Held, "callback")
		if e.HeldMore {
			held = "over " + held
		}
		n := need{Link: "#/endpoints", Text: fmt.Sprintf("%s does not answer: %s held", e.AppName, held)}
		switch e.State {
		case endpointOpen:
			n.Kind, n.Since = "app", e.OpenedAt
			n.Next = "Tell the app's developer. The proxy tries again by itself."
		case endpointDisabled:
			n.Kind, n.Since, n.Text = "app", e.DisabledAt, fmt.Sprintf("The endpoint of %s is disabled: %s held", e.AppName, held)
			n.Next = "Enable it when the app is ready."
		default:
			continue
		}
		needs = append(needs, n)
	}
	return needs, nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
