package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"momoproxy/shared/ledger"
)

// moment is one line of a timeline.
type moment struct {
	at   time.Time
	what string
}

// timeline tells a payment's story in the order in which it happened, without
// what anybody may have sent. Of a corrected payment the first ending is shown
// by its delivery.
func timeline(story ledger.Story, trail []ledger.AuditRecord) []moment {
	p := story.Payment
	all := []moment{{p.CreatedAt, "created"}}
	for _, a := range trail {
		if a.Direction == ledger.OutboundToApp && a.Method == http.MethodPost {
			continue // the attempt tells it
		}
		if a.Unproven {
			continue
		}
		what := fmt.Sprintf("%s  %s %s%s", a.Direction.With(auditName(p.Provider)), a.Method, a.URL, answerOf(a))
		if a.Note != "" {
			what += "; " + a.Note
		}
		all = append(all, moment{a.At, what})
	}
	for _, d := range story.Deliveries {
		all = append(all, moment{d.CreatedAt, fmt.Sprintf("event %d  %s, %s", d.Sequence, d.Event, d.EventID)})
	}
	for _, a := range story.Attempts {
		what := fmt.Sprintf("event %d  %s attempt %d%s", a.Sequence, a.Cause, a.Number, outcomeOf(a.Code, a.Duration))
		if a.Error != "" {
			what += "; " + a.Error
		}
		all = append(all, moment{a.Started, what})
	}
	slices.SortStableFunc(all, func(a, b moment) int {
		return a.at.Truncate(time.Millisecond).Compare(b.at.Truncate(time.Millisecond))
	})
	return all
}

// How much of a timeline is shown at once: its beginning and its end.
const (
	timelineHead = 20
	timelineTail = 60
)

// describeTimeline shows the evidence first, and counts what anybody may have
// sent.
func describeTimeline(t *text, story ledger.Story, trail []ledger.AuditRecord, whole bool) {
	t.line("")
	t.line("Timeline, UTC")
	all := timeline(story, trail)
	for i, m := range all {
		if left := len(all) - timelineHead - timelineTail; left > 0 && i >= timelineHead && i < timelineHead+left {
			if i == timelineHead {
				more := "more"
				if !whole {
					more = "and more"
				}
				t.line("  … %d %s: momoctl audit show --payment %s", left, more, story.Payment.Reference)
			}
			continue
		}
		t.line("  %s  %s", stamp(m.at), m.what)
	}
	unproven := 0
	for _, a := range trail {
		if a.Unproven {
			unproven++
		}
	}
	if unproven > 0 {
		t.line("")
		t.line("Beside it %s that anybody may have sent: momoctl audit show --payment %s", plural(unproven, "callback"), story.Payment.Reference)
	}
}

// answerOf is how an audited exchange was answered, in words.
func answerOf(a ledger.AuditRecord) string {
	if a.Answer != "" {
		return fmt.Sprintf(" -> %s in %d ms", a.Answer, a.Duration.Milliseconds())
	}
	return outcomeOf(a.ResponseCode, a.Duration)
}

// outcomeOf is the result of an exchange, in words.
func outcomeOf(code int, took time.Duration) string {
	if code == 0 && took == 0 {
		return ""
	}
	if code == 0 {
		return fmt.Sprintf(" -> no answer in %d ms", took.Milliseconds())
	}
	return fmt.Sprintf(" -> %d in %d ms", code, took.Milliseconds())
}
