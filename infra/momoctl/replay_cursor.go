package main

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// cursor is a replay's whole state: what is selected, since when it runs, and
// where it stands. It is printed when a run is interrupted.
type cursor struct {
	Start  time.Time        `json:"start"`
	Client string           `json:"client,omitempty"`
	States []delivery.State `json:"states"`
	Events []payment.Event  `json:"events,omitempty"`
	From   time.Time        `json:"from,omitzero"`
	To     time.Time        `json:"to,omitzero"`
	Again  bool             `json:"again,omitempty"`
	At     position         `json:"at,omitzero"`
	Total  int              `json:"total"` // as counted before
	Tally  tally            `json:"tally"`
}

func newCursor(f ledger.DeliveryFilter, start time.Time, again bool) cursor {
	return cursor{Start: start, Client: f.ClientID, States: f.States, Events: f.Events, From: f.From, To: f.To, Again: again}
}

// filter never reaches past the start: what comes about later is left out.
func (c cursor) filter() ledger.DeliveryFilter {
	f := ledger.DeliveryFilter{ClientID: c.Client, States: c.States, Events: c.Events, From: c.From, To: c.To}
	if f.To.IsZero() || f.To.After(c.Start) {
		f.To = c.Start
	}
	return f
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // always marshals
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCursor(text string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.Start.IsZero() || len(c.States) == 0 || c.Client == "" && !c.filter().Indexed() {
		return c, usageError("--resume: not the cursor of a replay")
	}
	return c, nil
}

// tally is what a replay has met. Sent counts attempts asked for; of a dry run
// what would be.
type tally struct {
	Sent    int             `json:"sent"`
	ByState map[string]int  `json:"byState,omitempty"` // of the sent, as they were
	LeftOut map[leftOut]int `json:"leftOut,omitempty"`
}

func (t *tally) send(d delivery.Delivery) {
	if t.ByState == nil {
		t.ByState = map[string]int{}
	}
	t.Sent++
	t.ByState[string(d.State)]++
}

func (t *tally) leave(why leftOut) {
	if t.LeftOut == nil {
		t.LeftOut = map[leftOut]int{}
	}
	t.LeftOut[why]++
}

// leftOut says why a selected event is not sent.
type leftOut string

const (
	sinceStart       leftOut = "sinceStart"
	underway         leftOut = "underway"
	lately           leftOut = "lately"
	endpointDisabled leftOut = "endpointDisabled"
	unsendable       leftOut = "unsendable"
	changed          leftOut = "changed"
)

var (
	leftOutOrder = []leftOut{sinceStart, underway, lately, endpointDisabled, unsendable, changed}
	leftOutWords = map[leftOut]string{
		sinceStart:       "delivered or asked for again since this run began",
		underway:         "an attempt is under way or asked for already",
		lately:           "asked for again within a day and delivered since; --again takes them too",
		endpointDisabled: "the endpoint is disabled; momoctl endpoint enable comes first",
		unsendable:       "it would be held again at once: no callback URL, no signing secret, or unreadable secrets; momoctl delivery resend says which",
		changed:          "changed by somebody else at the same moment",
	}
)

// recently is how long before a replay's start a delivered event must have
// been asked for again to be taken once more: an operator who replays what a
// colleague has just replayed does not mean to.
const recently = 24 * time.Hour

// skip says why an event is not for this run; empty: it is.
func (c cursor) skip(d delivery.Delivery) leftOut {
	switch {
	case !d.RequestedAt.IsZero():
		return underway
	case !d.ResentAt.Before(c.Start), !d.DeliveredAt.Before(c.Start):
		return sinceStart
	case !c.Again && d.State == delivery.Delivered && d.ResentAt.After(c.Start.Add(-recently)):
		return lately
	}
	return ""
}
