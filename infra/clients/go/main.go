// Command clients pays with the client that oapi-codegen makes.
// Usage: clients URL
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"momoproxy/clients/api"
)

const key = "APP_CHANGE_THIS"

func client(key string) *api.ClientWithResponses {
	c, err := api.NewClientWithResponses(os.Args[1], api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Proxy-Api-Key", key)
		return nil
	}))
	check(err)
	return c
}

func order(amount, externalID string) api.RequestToPay {
	o := api.RequestToPay{ExternalId: externalID, Payer: &api.Payer{PartyIdType: "MSISDN", PartyId: "26876123456"}}
	check(o.Amount.FromRequestToPayAmount0(amount))
	return o
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx, app := context.Background(), client(key)
	orderID := strconv.FormatInt(time.Now().UnixNano(), 36)
	started, err := app.RequestToPayWithResponse(ctx, &api.RequestToPayParams{IdempotencyKey: &orderID}, order("1234567.89", orderID))
	check(err)
	reference := started.JSON202.ReferenceId
	payment, err := app.StatusWithResponse(ctx, reference.String())
	for err == nil && (payment.JSON200.Status == api.StatusPENDING || payment.JSON200.Status == api.StatusONGOING) {
		time.Sleep(500 * time.Millisecond)
		payment, err = app.StatusWithResponse(ctx, reference.String())
	}
	check(err)
	unauthorized, err := client("wrong").StatusWithResponse(ctx, reference.String())
	check(err)
	unknown, err := app.StatusWithResponse(ctx, "7d0f5b0e-6c1e-4b0a-9a57-000000000000")
	check(err)
	duplicate, err := app.RequestToPayWithResponse(ctx, nil, order("1.00", orderID))
	check(err)
	if *duplicate.JSON409.ReferenceId != reference {
		log.Fatal("409 names ", duplicate.JSON409.ReferenceId)
	}
	invalid, err := app.RequestToPayWithResponse(ctx, nil, order("0", orderID+"-0"))
	check(err)
	fmt.Println(payment.JSON200.Status, strconv.FormatFloat(payment.JSON200.Amount, 'f', -1, 64), payment.JSON200.AmountDecimal,
		unauthorized.JSON401.Code, unknown.JSON404.Code, duplicate.JSON409.Code, invalid.JSON422.Code, (*invalid.JSON422.Details)[0].Field)
}
