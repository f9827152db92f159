package sandbox

import (
	"encoding/json"
	"time"
)

// wire is what the connection does with an answer.
type wire int

const (
	whole     wire = iota // delivers it
	hangs                 // never answers
	resets                // is reset
	breaksOff             // delivers half of the body
)

const (
	typeJSON = "application/json"
	typeHTML = "text/html; charset=utf-8"
)

// reply is one answer, before it meets a connection.
type reply struct {
	code  int
	kind  string // Content-Type; empty with an empty body
	body  []byte
	delay time.Duration
	wire  wire
}

func jsonReply(code int, body string) reply {
	return reply{code: code, kind: typeJSON, body: []byte(body)}
}

// jsonOf answers with v as JSON.
func jsonOf(code int, v any) reply {
	b, err := json.Marshal(v)
	if err != nil { // a fault put something into v that is no JSON
		return gatewayError(500, "Internal server error")
	}
	return reply{code: code, kind: typeJSON, body: b}
}

// gatewayError has the shape of the API gateway in front of MTN, which
// answers what never reaches the payment system. MTN publishes no shape for
// its 400s; this one is as good as any and carries no code on purpose.
func gatewayError(code int, message string) reply {
	return jsonOf(code, struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}{code, message})
}

func badRequest(message string) reply { return gatewayError(400, message) }

// refusal has the shape of MTN's own errors.
func refusal(code int, name, message string) reply {
	return jsonOf(code, struct {
		Message string `json:"message"`
		Code    string `json:"code"`
	}{message, name})
}

// refusals are the documented error codes with the HTTP number MTN gives
// them (MTN, "MoMo API common errors"; texts as seen where they were seen).
var refusals = map[string]reply{
	"RESOURCE_NOT_FOUND":             refusal(404, "RESOURCE_NOT_FOUND", "Requested resource was not found."),
	"RESOURCE_ALREADY_EXIST":         refusal(409, "RESOURCE_ALREADY_EXIST", "Duplicated reference id. Creation of resource failed."),
	"NOT_ALLOWED":                    refusal(500, "NOT_ALLOWED", "Authorization failed. Insufficient permissions."),
	"NOT_ALLOWED_TARGET_ENVIRONMENT": refusal(500, "NOT_ALLOWED_TARGET_ENVIRONMENT", "Access to target environment is forbidden."),
	"INVALID_CALLBACK_URL_HOST":      refusal(500, "INVALID_CALLBACK_URL_HOST", "Callback URL with different host name than configured for API user."),
	"INVALID_CURRENCY":               refusal(500, "INVALID_CURRENCY", "Currency not supported."),
	"PAYER_NOT_FOUND":                refusal(500, "PAYER_NOT_FOUND", "Payer not found."),
	"PAYEE_NOT_ALLOWED_TO_RECEIVE":   refusal(500, "PAYEE_NOT_ALLOWED_TO_RECEIVE", "Payee is not allowed to receive."),
	"INTERNAL_PROCESSING_ERROR":      refusal(500, "INTERNAL_PROCESSING_ERROR", "An internal error occurred while processing."),
	"TRANSFER_TYPE_UNKNOWN":          refusal(500, "TRANSFER_TYPE_UNKNOWN", "Transfer type is unknown."),
	"SERVICE_UNAVAILABLE":            refusal(503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable, try again later."),
}

// lengthRequired is what a POST without body and without Content-Length gets.
var lengthRequired = reply{code: 411, kind: typeHTML, body: []byte(
	"<!DOCTYPE html><html><head><title>Length Required</title></head>" +
		"<body><h2>Length Required</h2><p>HTTP Error 411. The request must have a content length.</p></body></html>")}

// requestRejected is the firewall's page; it comes with HTTP 200.
var requestRejected = reply{code: 200, kind: typeHTML, body: []byte(
	"<html><head><title>Request Rejected</title></head>" +
		"<body>The URL asked for was rejected. Support id: 0</body></html>")}
