package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// trouble adds a fault of one provider every now and then, through the
// control API as anybody would. What the one before has left is gone by then:
// faults that pile up would keep the circuit open, and then little happens. At
// the end of ctx the latest goes too: what is open then comes to rest without.
func (w *world) trouble(ctx context.Context, p *provider, random *rand.Rand) {
	defer p.ClearRules()
	for pause(ctx, time.Duration(500+random.IntN(2000))*time.Millisecond) {
		p.ClearRules()
		r := p.profile.Troubles[random.IntN(len(p.profile.Troubles))]
		r.Times = 1 + random.IntN(3)
		body, err := json.Marshal(r)
		if err != nil {
			panic(err) // strings and numbers only
		}
		resp, err := w.client.Post(p.address+"/_standin/rules", "application/json", bytes.NewReader(body))
		if err != nil {
			w.breaks("%s took no fault: %v", p.Provider(), err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			w.breaks("%s refused a fault: %s", p.Provider(), body)
			continue
		}
		w.rules.Add(1)
	}
}

// breaks notes what was seen to be wrong at once.
func (w *world) breaks(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}
