// Command serve runs the sandbox alone, for clients written in other
// languages and for looking around by hand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"momoproxy"
	"momoproxy/infra/sandbox"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run() error {
	var account sandbox.MTNAccount
	o := sandbox.Options{Times: sandbox.DefaultTimes()}
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on; port 0 picks a free one")
	retries := flag.Bool("retries", false, "retry callbacks by the longer of MTN's two accounts")
	flag.StringVar(&account.SubscriptionKey, "subscription-key", "5b1e0000000000000000000000000000", "subscription key that is known")
	flag.StringVar(&account.APIUser, "api-user", "00000000-0000-4000-8000-000000000001", "API user that exists from the start")
	flag.StringVar(&account.APIKey, "api-key", "a91e0000000000000000000000000000", "its API key")
	flag.StringVar(&account.TargetEnvironment, "target-environment", "sandbox", "its X-Target-Environment, such as mtnswaziland")
	flag.StringVar(&account.Currency, "currency", "", "its currency (default that of the environment)")
	flag.StringVar(&account.CallbackHost, "callback-host", "localhost", "its registered callback host")
	flag.DurationVar(&o.Times.Approve, "approve", o.Times.Approve, "how long a payer takes to approve")
	flag.Uint64Var(&o.Seed, "seed", 0, "makes ids and keys repeatable (0: random)")
	flag.BoolVar(&o.DocumentedPayers, "documented-payers", false, "prefer MTN's pages where others saw something else")
	flag.BoolVar(&o.EnforceGETLimit, "enforce-get-limit", false, "answer 429 beyond 10 GETs in a second")
	flag.Parse()
	if *retries {
		o.CallbackRetries = sandbox.DocumentedRetries()
	}

	s := sandbox.New(o)
	defer s.Close()
	account, err := s.Provision(account)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Printf("MTN stand-in %s\n", momoproxy.Version)
	fmt.Printf("listening on http://%s\n", l.Addr())
	fmt.Printf("X-Target-Environment %s, currency %s, callbacks to host %q\n", account.TargetEnvironment, account.Currency, account.CallbackHost)
	fmt.Printf("payer numbers: http://%s/_sandbox/payers\n", l.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "momo-proxy-standin/"+momoproxy.Version)
		s.Handler().ServeHTTP(w, r)
	})
	srv := &http.Server{Handler: named, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
