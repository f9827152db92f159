package httpapi

import (
	"context"
	"errors"

	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/provider"
)

// payerCheckBody is what is known of a number.
type payerCheckBody struct {
	Payer             string            `json:"payer"`
	Country           *string           `json:"country"`           // null: of no country that is known here
	PredictedProvider *string           `json:"predictedProvider"` // null: no prediction
	Active            provider.Activity `json:"active"`
	AskedProvider     *string           `json:"askedProvider"` // null: none says whether it is active
}

// payerCheck is a body of POST /payers/check.
type payerCheck struct{ payer, provider string }

func readPayerCheck(body []byte) (check payerCheck, faults []gateway.Fault, err error) {
	o, err := parseObject(body)
	if err != nil {
		return check, nil, err
	}
	faults = o.into("", fields{"payer": text(&check.payer), "provider": text(&check.provider)})
	if check.payer == "" && len(faults) == 0 {
		faults = []gateway.Fault{{Field: "payer", Message: "is required: a number with its country code"}}
	}
	return check, faults, nil
}

// checkPayer handles POST /payers/check. Neither the number nor the answer is
// stored or logged.
func (c *Collection) checkPayer(ctx context.Context, r Request) Response {
	client, refused := c.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	body, refused := bodyOf(r)
	if refused != nil {
		return *refused
	}
	if !isJSON(r) {
		return notJSON()
	}
	given, faults, err := readPayerCheck(body)
	if err != nil {
		return problem(400, "malformed_json", "The body is "+err.Error()+".")
	}
	var check gateway.PayerCheck
	if len(faults) == 0 {
		check, faults = c.Gateway.ReadCheck(client, given.payer, given.provider)
	}
	if len(faults) > 0 {
		return invalid(faults)
	}
	check, err = c.Gateway.CheckPayer(ctx, client, check)
	var spent *guard.Refusal
	if errors.As(err, &spent) {
		return retryAfter(problem(429, "too_many_checks", "This app has checked too many payers; wait as long as Retry-After says. A request to pay needs no check."), spent.RetryAfter)
	}
	if err != nil {
		c.Log.ErrorContext(ctx, "check_payer.failed", "client", client.ID, "error", err.Error())
		return fromError(err)
	}
	return respond(200, payerCheckBody{
		Payer: string(check.Payer), Country: orNull(string(check.Country)), PredictedProvider: orNull(check.Predicted),
		Active: check.Active, AskedProvider: orNull(check.AskedOf),
	})
}

// Questions serves the routes of the status function by the event's route key:
// what an app may ask of a provider beside a payment.
func (c *Collection) Questions() Handler {
	return c.byRoute(map[string]Handler{
		"GET /status/{referenceId}": c.Status(),
		"POST /payers/check":        c.guard("POST /payers/check", c.checkPayer),
		"GET /providers":            c.guard("GET /providers", c.listProviders),
	})
}
