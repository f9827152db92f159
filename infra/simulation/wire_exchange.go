package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// question is one request on its way to a provider.
type question struct {
	*http.Request
	body      []byte
	reference string // whom it is about; empty: nobody
	pay       bool   // it may start a payment
	// answer is what the provider makes of it. It is called when the request
	// has arrived, if it does.
	answer func(*http.Request) (*http.Response, error)
}

// exchange takes a question to its provider and the answer back, with the faults that
// happen on the way.
func (w *world) exchange(q question) (*http.Response, error) {
	w.before()
	if w.chance(w.rates.noConnection) {
		w.note("  no connection")
		w.result.Stats.Unsent++
		w.afterwards()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	if q.pay {
		w.books.sent[q.reference] = true
	}
	q.Body = io.NopCloser(bytes.NewReader(q.body))
	if q.pay && w.chance(w.rates.providerLate) {
		// It reaches the provider when its sender has long given up.
		w.note("  held up")
		late := q.unheeded()
		w.after(w.between(time.Second, time.Minute), "late request", func() {
			if resp, err := q.answer(late); err == nil {
				resp.Body.Close()
			}
		})
		return nil, w.untilDeadline(q.Request)
	}
	if err := q.Context().Err(); err != nil {
		return nil, err
	}
	resp, err := q.answer(q.Request)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.note("  no answer")
		return nil, w.untilDeadline(q.Request)
	}
	if err != nil {
		w.note("  broken")
	} else {
		w.note("  answer", resp.Status)
		if w.chance(w.rates.slowBodies) {
			w.slow(q.Request, resp)
		}
	}
	w.afterwards()
	if err := q.Context().Err(); err != nil {
		return nil, err
	}
	return resp, err
}

// unheeded is the request as it goes on when nobody waits for its answer.
func (q question) unheeded() *http.Request {
	r := q.Clone(context.WithoutCancel(q.Context()))
	r.Body = io.NopCloser(bytes.NewReader(q.body))
	return r
}

// untilDeadline waits until the caller gives up.
func (w *world) untilDeadline(r *http.Request) error {
	if deadline, ok := r.Context().Deadline(); ok {
		w.waitFor(time.Until(deadline) + time.Microsecond)
	}
	w.mayDie()
	if err := r.Context().Err(); err != nil {
		return err
	}
	return os.ErrDeadlineExceeded
}

// window is what was sent within the last span.
type window []time.Time

// add notes one at a time, and says how many there are with it.
func (s *window) add(now time.Time, span time.Duration) int {
	kept := (*s)[:0]
	for _, t := range *s {
		if now.Sub(t) < span {
			kept = append(kept, t)
		}
	}
	*s = append(kept, now)
	return len(*s)
}
