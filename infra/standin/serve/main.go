// Command serve runs the providers' stand-ins alone, for clients written in
// other languages and for looking around by hand.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run() error {
	var o core.Options
	host := flag.String("host", "127.0.0.1", "address to listen on; the control APIs answer this machine only")
	port := flag.Int("port", standin.All()[0].Port, "port of the first stand-in, the others follow; 0: free ones")
	public := flag.String("public", "http://localhost:8080", "where your own system is: MTN calls back to its host, the others to /webhooks/… there")
	only := flag.String("provider", "", "serve this one alone")
	approve := flag.Duration("approve", 0, "how long a payer takes to approve (default 1 s)")
	keys := mtn.Account{}
	flag.StringVar(&keys.SubscriptionKey, "subscription-key", "5b1e0000000000000000000000000000", "MTN's subscription key")
	flag.StringVar(&keys.TargetEnvironment, "target-environment", "sandbox", "MTN's X-Target-Environment, such as mtnswaziland")
	flag.StringVar(&keys.Currency, "currency", "", "MTN's currency (default that of the environment)")
	moved := flag.Bool("new-platform", false, "MTN's is the platform that production moves to")
	flag.Uint64Var(&o.Seed, "seed", 0, "makes ids and keys repeatable (0: random)")
	flag.BoolVar(&o.EnforceLimits, "enforce-limits", false, "answer 429 beyond the providers' limits")
	orders := flag.Bool("orders", false, "print requests to pay that every way of paying takes, as JSON, and exit")
	flag.Parse()
	if *orders {
		return printOrders()
	}

	for i, kind := range standin.All() {
		if *only != "" && *only != kind.Name {
			continue
		}
		o.Times = kind.Times
		if *approve > 0 {
			o.Times.Approve = *approve
		}
		s, err := kind.Start(o, *public)
		if err != nil {
			return err
		}
		defer s.Close()
		if platform, ok := s.(*mtn.Standin); ok {
			if err := platform.Replace(keys, *moved); err != nil {
				return err
			}
		}
		at := 0
		if *port > 0 {
			at = *port + i
		}
		address, stop, err := standin.Serve(s.Handler(), net.JoinHostPort(*host, strconv.Itoa(at)))
		if err != nil {
			return err
		}
		defer stop()
		fmt.Printf("%s at %s\n", kind.Name, address)
		variables := s.Variables(address)
		maps.Copy(variables, s.PayoutVariables(address))
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			fmt.Printf("  %s=%s\n", name, variables[name])
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return nil
}

// printOrders: of each way to pay, the payer and the cents that stand first,
// which are the ordinary ones, and those that stand last.
func printOrders() error {
	var all []json.RawMessage
	for _, kind := range standin.All() {
		for _, way := range kind.Profile().Load {
			all = append(all, way.Order(kind.Name, 0, 0).Body("", nil), way.Order(kind.Name, -1, -1).Body("", nil))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
