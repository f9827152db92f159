package main

import (
	"encoding/json"
	"fmt"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
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
	}
	return variables, nil
}

// body is the n-th request. Mom Factura takes 20 a minute from everybody
// together; the rest is shared by the others.
func (w *world) body(n int) (provider string, body []byte) {
	order := map[string]any{"externalId": fmt.Sprint("ORDER-", n), "amount": "25.00"}
	payer := "26876123456"
	provider = "mtn"
	each := int(w.o.rate * 4) // a request of Mom Factura's every four seconds
	switch {
	case n%each == each-1:
		provider, payer = momfactura.Name, "244923456789"
		order["provider"], order["method"], order["amount"] = provider, momfactura.MethodReference, fmt.Sprintf("%d.00", 1000+n)
	case n%2 == 1:
		provider, payer = momentpay.Name, momentstand.PushNumber(0)
		order["provider"], order["method"], order["amount"] = provider, momentpay.MethodPush, fmt.Sprintf("%d.00", 1000+n)
	}
	order["payer"] = map[string]string{"partyIdType": "MSISDN", "partyId": payer}
	body, err := json.Marshal(order)
	if err != nil {
		panic(err) // strings only
	}
	return provider, body
}
