package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/judge"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/ledger"
)

// books are what everybody knows in the end.
type books struct {
	ours      map[string]ledger.Story
	theirs    map[string]entry
	counters  map[string]core.Counters // of each provider
	arrivals  []arrival                // of each app in its order
	attention map[string]bool          // the payments that an operator is shown
	promised  map[string]string        // external id by reference
	broken    []string
	told      map[int]int
	now       time.Time
}

func (w *world) books(ctx context.Context) (*books, error) {
	ours, err := w.stories(ctx)
	if err != nil {
		return nil, err
	}
	b := &books{
		ours: ours, theirs: w.entries(ours), counters: map[string]core.Counters{}, attention: map[string]bool{},
		promised: w.promised, broken: w.broken, told: w.told, now: time.Now(),
	}
	for _, p := range w.providers {
		b.counters[p.Provider()] = p.Counters()
	}
	for _, a := range w.apps {
		b.arrivals = append(b.arrivals, a.arrivals()...)
	}
	for cursor := ""; ; {
		page, err := w.ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionPayment}, ledger.Paging{Limit: 1000, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, waiting := range page.Items {
			b.attention[waiting.Reference] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for _, side := range w.sides {
		log, err := os.ReadFile(filepath.Join(side.data, "log.jsonl"))
		if err != nil {
			return nil, err
		}
		for _, secret := range w.secrets {
			if strings.Contains(string(log), secret) {
				b.broken = append(b.broken, "the log holds a secret that begins "+secret[:4])
			}
		}
	}
	return b, nil
}

// faults lists every promise that was broken, with the payment it was broken
// to.
func (b *books) faults() []string {
	all := slices.Clone(b.broken)
	fault := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }

	for reference, e := range b.theirs {
		if e.charges > 1 || e.made > 1 {
			fault("%s: %s made it %d times and charged %d times", reference, e.provider, e.made, e.charges)
		}
		s, ok := b.ours[reference]
		if !ok && e.submissions > 0 {
			fault("%s: %s was asked and we do not know it", reference, e.provider)
		}
		if ok && profileOf(s.Payment.Provider).Nameless && e.submissions > 1 {
			fault("%s: %s, which cannot tell a repeat, was asked %d times", reference, e.provider, e.submissions)
		}
	}
	for provider, c := range b.counters {
		if c.Violations() > 0 {
			fault("the limits of %s were exceeded: %+v", provider, c.Limits)
		}
	}
	asked, charged := map[string]int{}, map[string]int{}
	for reference, s := range b.ours {
		asked[s.Payment.Provider]++
		charged[s.Payment.Provider] += b.theirs[reference].charges
	}
	for provider, n := range asked {
		if n > 5 && charged[provider] == 0 {
			fault("%s charged none of %d payments: it cannot have been set up", provider, n)
		}
	}
	for reference, externalID := range b.promised {
		if s, ok := b.ours[reference]; !ok || s.Payment.ExternalID != externalID {
			fault("%s: promised for order %s, and is of order %q", reference, externalID, s.Payment.ExternalID)
		}
	}
	about := map[string]string{} // reference by event
	for reference, s := range b.ours {
		for _, d := range s.Deliveries {
			about[d.EventID] = reference
		}
	}
	heard := map[string][]judge.Arrival{}
	for _, n := range b.arrivals {
		reference, known := about[n.EventID]
		switch {
		case n.Fault != "":
			fault("%s was sent what does not verify: %s", n.App, n.Fault)
		case !known:
			fault("%s was sent event %s, which is not ours", n.App, n.EventID)
		default:
			heard[reference] = append(heard[reference], n.Arrival)
		}
	}
	for reference, s := range b.ours {
		if s.Payment.Open() && !b.attention[reference] {
			fault("%s: it is open, and no operator is shown it", reference)
		}
		for _, text := range faultsOf(s, b.theirs[reference], heard[reference], b.now) {
			fault("%s (%s): %s", reference, strings.TrimSpace(s.Payment.Provider+" "+s.Payment.Method), text)
		}
	}
	slices.Sort(all)
	return all
}

// summary is for people: how much there was.
func (b *books) summary() string {
	states, answers := map[string]int{}, map[string]int{}
	attempts := 0
	type sum struct {
		payments, submissions, charged, left int
		statuses                             map[string]int
	}
	sums := map[string]*sum{}
	for reference, s := range b.ours {
		p, e := s.Payment, b.theirs[reference]
		t := sums[p.Provider]
		if t == nil {
			t = &sum{statuses: map[string]int{}}
			sums[p.Provider] = t
		}
		t.payments++
		t.submissions += e.submissions
		t.charged += e.charges
		t.statuses[string(p.Status)]++
		if p.Open() && b.attention[reference] {
			t.left++
		}
		for _, d := range s.Deliveries {
			states[string(d.State)]++
			attempts += d.Claims
		}
	}
	for status, n := range b.told {
		if status == 0 {
			answers["none"] = n
		} else {
			answers[fmt.Sprint(status)] = n
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "  answers to request-to-pay: %s\n", counted(answers))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		t := sums[name]
		fmt.Fprintf(&text, "  %s: %d payments, asked for in %d requests, %d charged; %s, %d before the operator\n",
			name, t.payments, t.submissions, t.charged, counted(t.statuses), t.left)
	}
	for _, provider := range slices.Sorted(maps.Keys(b.counters)) {
		for _, name := range slices.Sorted(maps.Keys(b.counters[provider].Limits)) {
			l := b.counters[provider].Limits[name]
			fmt.Fprintf(&text, "  %s: %s: at most %d, %d beyond the limit\n", provider, name, l.Most, l.Violations)
		}
	}
	fmt.Fprintf(&text, "  events: %s; %d attempts, %d arrivals\n", counted(states), attempts, len(b.arrivals))
	return text.String()
}

func counted(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(parts, ", ")
}
