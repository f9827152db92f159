package main

import (
	"fmt"
	"strconv"
	"time"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/assembly/providers"
)

func (w *world) names() (all []string) {
	for _, kind := range standin.All() {
		all = append(all, kind.Name)
	}
	return all
}

// startProviders starts the stand-ins and returns the variables that name them.
func (w *world) startProviders() ([]string, error) {
	variables := []string{"MTN_STATUS_PER_SECOND=150"}
	limits := map[string]time.Duration{}
	for _, r := range providers.All() {
		limits[r.Name] = r.Known.Submits.Every
	}
	for _, kind := range standin.All() {
		times := kind.Times
		times.Approve = approve
		s, err := kind.Start(core.Options{Times: times}, "http://"+w.address)
		if err != nil {
			return nil, err
		}
		address, stop, err := standin.Serve(s.Handler(), "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		w.closing = append(w.closing, stop, s.Close)
		for name, value := range s.Variables(address) {
			variables = append(variables, name+"="+value)
		}
		if order := kind.Profile().Demo; limits[kind.Name] > 0 {
			w.limited, w.every = append(w.limited, order), max(w.every, limits[kind.Name])
		} else {
			w.orders = append(w.orders, order)
		}
	}
	return variables, nil
}

// body is the n-th request. Providers with a limit that everybody shares get
// one now and then; the rest is shared by the others.
func (w *world) body(n int) (provider, number string, body []byte) {
	order := w.orders[n%len(w.orders)]
	if len(w.limited) > 0 {
		each := max(1, int(w.o.rate*(w.every+time.Second).Seconds()))
		if n%each == each-1 {
			order = w.limited[n/each%len(w.limited)]
		}
	}
	order.Amount = strconv.Itoa(1000+n) + ".00"
	number = fmt.Sprint("ORDER-", n)
	return order.Provider, number, order.Body(number, nil)
}
