package simulation

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// slowBody is an answer whose headers are there and whose body takes its
// time: half of it at once, the rest after a wait that may outlast the
// caller's patience.
type slowBody struct {
	w       *world
	request *http.Request
	halves  [2][]byte
	waited  bool
	close   io.Closer
}

// slow makes an answer's body take its time, which is up to twice what the
// caller has left. What cannot be read stays as it is.
func (w *world) slow(r *http.Request, resp *http.Response) {
	whole, err := io.ReadAll(resp.Body)
	if err != nil {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole), broken{err}))
		return
	}
	w.note("  slow body")
	w.result.Stats.SlowBodies++
	n := len(whole) / 2
	resp.Body = &slowBody{w: w, request: r, halves: [2][]byte{whole[:n], whole[n:]}, close: resp.Body}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.halves[0]) > 0 {
		n := copy(p, b.halves[0])
		b.halves[0] = b.halves[0][n:]
		return n, nil
	}
	if !b.waited {
		b.waited = true
		left := 10 * time.Second
		if deadline, ok := b.request.Context().Deadline(); ok {
			left = max(time.Until(deadline), 0)
		}
		b.w.waitFor(min(b.w.between(0, 2*left), left+time.Microsecond))
		b.w.mayDie()
	}
	if err := b.request.Context().Err(); err != nil {
		return 0, err
	}
	if len(b.halves[1]) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.halves[1])
	b.halves[1] = b.halves[1][n:]
	return n, nil
}

func (b *slowBody) Close() error { return b.close.Close() }

// broken is a body that breaks off.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
