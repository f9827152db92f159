package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// keepalive is how long a stream may be silent.
const keepalive = 15 * time.Second

// stream sends a view as server-sent events: at once, and again whenever it
// has changed.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.URL.Query().Get("view"))
	if err != nil {
		c.failed(w, r, notFound)
		return
	}
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		writeJSON(w, http.StatusServiceUnavailable, fault{"Too many pages are open: close some."})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	ticker := time.NewTicker(c.Every)
	defer ticker.Stop()
	var last []byte
	var said time.Time
	for {
		event, body := "view", []byte(nil)
		v, err := c.view(r.Context(), u.Path, u.Query().Get)
		if r.Context().Err() != nil {
			return
		}
		if err != nil {
			event, v = "fault", fault{err.Error()}
		}
		if body, err = json.Marshal(v); err != nil {
			return
		}
		switch {
		case !bytes.Equal(body, last):
			last, said = body, c.Now()
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, body)
		case c.Now().Sub(said) >= keepalive:
			said = c.Now()
			fmt.Fprint(w, ": still here\n\n")
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}
