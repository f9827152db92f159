package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

// listening is what the flags of listen say.
type listening struct {
	client, to string
}

func (c cli) listen() *cobra.Command {
	var in listening
	command := &cobra.Command{
		Use: "listen", Short: "pass the local system's callbacks on to an app on this machine",
		Long: `Sets the client's callback URL to an address of its own, and passes each callback on as it
came: the same bytes, the same headers, and the app's own answer back. It prints the
signing secret to verify with, which stays the same from run to run. When it ends the
callback URL is what it was.

It is for the local system alone. A changed callback URL takes effect within 10 seconds.`,
		Example: `  momoctl listen --forward-to http://localhost:3000/momo-callback`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			u, err := url.Parse(in.to)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return usageError(fmt.Sprintf("--forward-to %q: it must be a URL, as http://localhost:3000/momo-callback", printable(in.to)))
			}
			return c.localOnly()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.forward(ctx, in) }),
	}
	f := command.Flags()
	f.StringVar(&in.to, "forward-to", "", "the app's `URL`; required")
	f.StringVar(&in.client, "client", "cli_demo", "the `id` of the client whose callbacks are passed on")
	completeFlag(command, "client", c.clientIDs)
	return command
}

// localOnly refuses a store with real payments.
func (c cli) localOnly() error {
	if c.stack != "" {
		return usageError("this is for the local system, not for --stack")
	}
	if _, err := os.Stat(filepath.Join(c.data, localLive)); err == nil {
		return refused("folder %q holds real payments: this is for play money alone", c.data)
	}
	return nil
}

func (s *session) forward(ctx context.Context, in listening) error {
	client, err := s.client(ctx, in.client)
	if err != nil {
		return err
	}
	if len(client.SigningSecrets) == 0 {
		return refused("client %[1]s has no signing secret; \"momoctl client rotate-secret %[1]s\" comes first", client.ID)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	own, was := "http://"+l.Addr().String()+"/", client.CallbackURL
	server := &http.Server{Handler: &relay{session: s, to: in.to}, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := s.ledger.ChangeClient(ctx, client, ledger.ClientChange{CallbackURL: new(own)}); err != nil {
		return errors.Join(err, l.Close())
	}
	client.CallbackURL = own
	if _, err := s.releaseMoved(ctx, client, was); err != nil {
		return errors.Join(err, l.Close())
	}
	fmt.Fprintf(s.out, "Callbacks of %s go to %s\nSigning secret %s (the same at each start)\nEnd with Ctrl-C.\n", client.ID, in.to, client.SigningSecrets[0])
	served := server.Serve(l)
	if errors.Is(served, http.ErrServerClosed) {
		served = nil
	}
	return errors.Join(served, s.restore(context.WithoutCancel(ctx), in.client, own, was))
}

// restore sets the callback URL back, unless somebody has changed it meanwhile.
func (s *session) restore(ctx context.Context, id, own, was string) error {
	client, err := s.ledger.Client(ctx, id)
	if err != nil || client.CallbackURL != own {
		return err
	}
	if err := s.ledger.ChangeClient(ctx, client, ledger.ClientChange{CallbackURL: new(was)}); err != nil && !errors.Is(err, ledger.ErrStale) {
		return fmt.Errorf("the callback URL is still %s: %w", own, err)
	}
	return nil
}

// relay passes a callback on and the answer back.
type relay struct {
	*session
	to string
}

// passedOn are the headers of a callback, spelled as they are documented.
var passedOn = []string{
	"Content-Type", "User-Agent", "X-MoMo-Proxy-Signature", "X-MoMo-Proxy-Reference", "X-MoMo-Proxy-Sequence",
	"webhook-id", "webhook-timestamp", "webhook-signature",
}

const relayTimeout = 10 * time.Second // as the proxy waits for an app

func (r *relay) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(io.LimitReader(in.Body, 1<<20))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(in.Context(), relayTimeout)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, in.Method, r.to, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for _, name := range passedOn {
		if v := in.Header.Get(name); v != "" {
			out.Header[name] = []string{v}
		}
	}
	what := orDash(in.Header.Get("X-MoMo-Proxy-Reference")) + " " + in.Header.Get("webhook-id")
	began := r.now()
	answer, err := http.DefaultTransport.RoundTrip(out) // a redirect is the app's own answer
	if err != nil {
		fmt.Fprintf(r.out, "%s  %s  -> no answer: %s\n", short(began), printable(what), printable(err.Error()))
		http.Error(w, "the app did not answer: "+err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Fprintf(r.out, "%s  %s  -> %d in %d ms\n", short(began), printable(what), answer.StatusCode, r.now().Sub(began).Milliseconds())
	for _, name := range []string{"Content-Type", "Retry-After", "Location", "webhook-delivery"} {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, io.LimitReader(answer.Body, 1<<20))
}
