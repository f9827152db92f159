package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"momoproxy/shared/ledger"
)

// trailPosition is where a page of a trail ended: the time of its last record,
// and how many records of that time have been shown. Records are only added
// behind it and fall away before it, so that it stays good.
type trailPosition struct {
	At    time.Time `json:"t"`
	Shown int       `json:"n"`
}

// trailPage cuts one page out of a trail, which is in order of time, and
// returns the cursor of the next; an empty one ends the trail.
func trailPage(trail []ledger.AuditRecord, page pageFlags) ([]ledger.AuditRecord, string, error) {
	var from trailPosition
	if page.after != "" {
		b, err := base64.RawURLEncoding.DecodeString(page.after)
		if err == nil {
			err = json.Unmarshal(b, &from)
		}
		if err != nil {
			return nil, "", fmt.Errorf("%w: not readable", ledger.ErrCursor)
		}
		shown := from.Shown
		for len(trail) > 0 && (trail[0].At.Before(from.At) || trail[0].At.Equal(from.At) && shown > 0) {
			if trail[0].At.Equal(from.At) {
				shown--
			}
			trail = trail[1:]
		}
	}
	if len(trail) <= page.limit {
		return trail, "", nil
	}
	trail = trail[:page.limit]
	end := trailPosition{At: trail[page.limit-1].At}
	for _, a := range trail {
		if a.At.Equal(end.At) {
			end.Shown++
		}
	}
	if end.At.Equal(from.At) { // more of one time than a page holds
		end.Shown += from.Shown
	}
	b, _ := json.Marshal(end) // always marshals
	return trail, base64.RawURLEncoding.EncodeToString(b), nil
}
