package mtn

import (
	"net/http"

	"momoproxy/infra/standin/core"
)

func raw(code int, kind, body string) core.Answer {
	return core.Answer{Code: code, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}
}

const (
	typeJSON = "application/json"
	typeHTML = "text/html; charset=utf-8"
)

// gatewayError has the shape of the API gateway in front of MTN, which
// answers what never reaches the payment system. MTN publishes no shape for
// its 400s; this one is as good as any and carries no code on purpose.
func gatewayError(code int, message string) core.Answer {
	return core.JSON(code, struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}{code, message})
}

func badRequest(message string) core.Answer { return gatewayError(400, message) }

// refusal has the shape of MTN's own errors.
func refusal(code int, name, message string) core.Answer {
	return core.JSON(code, struct {
		Message string `json:"message"`
		Code    string `json:"code"`
	}{message, name})
}

// refusals are the documented error codes with the HTTP number MTN gives
// them (MTN, "MoMo API common errors"; texts as seen where they were seen).
var refusals = map[string]core.Answer{
	"RESOURCE_NOT_FOUND":             refusal(404, "RESOURCE_NOT_FOUND", "Requested resource was not found."),
	"RESOURCE_ALREADY_EXIST":         refusal(409, "RESOURCE_ALREADY_EXIST", "Duplicated reference id. Creation of resource failed."),
	"NOT_ALLOWED":                    refusal(500, "NOT_ALLOWED", "Authorization failed. Insufficient permissions."),
	"NOT_ALLOWED_TARGET_ENVIRONMENT": refusal(500, "NOT_ALLOWED_TARGET_ENVIRONMENT", "Access to target environment is forbidden."),
	"INVALID_CALLBACK_URL_HOST":      refusal(500, "INVALID_CALLBACK_URL_HOST", "Callback URL with different host name than configured for API user."),
	"INVALID_CURRENCY":               refusal(500, "INVALID_CURRENCY", "Currency not supported."),
	"PAYER_NOT_FOUND":                refusal(500, "PAYER_NOT_FOUND", "Payer not found."),
	"PAYEE_NOT_FOUND":                refusal(500, "PAYEE_NOT_FOUND", "Payee does not exist."),
	"PAYEE_NOT_ALLOWED_TO_RECEIVE":   refusal(500, "PAYEE_NOT_ALLOWED_TO_RECEIVE", "Payee is not allowed to receive."),
	"INTERNAL_PROCESSING_ERROR":      refusal(500, "INTERNAL_PROCESSING_ERROR", "An internal error occurred while processing."),
	"TRANSFER_TYPE_UNKNOWN":          refusal(500, "TRANSFER_TYPE_UNKNOWN", "Transfer type is unknown."),
	"SERVICE_UNAVAILABLE":            refusal(503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable, try again later."),
}

var loginFailed = raw(500, typeJSON, `{"error":"login_failed"}`)

// refuse is the likeliest error of an HTTP status.
func refuse(code int) core.Answer {
	switch code {
	case 401:
		return gatewayError(code, "Unauthorized. Access token is missing, invalid or expired.")
	case 403:
		return gatewayError(code, "FORBIDDEN IP")
	case 404:
		return refusals["RESOURCE_NOT_FOUND"]
	case 409:
		return refusals["RESOURCE_ALREADY_EXIST"]
	case 413:
		return gatewayError(code, "Request Entity Too Large")
	case 429:
		return gatewayError(code, "Rate limit is exceeded. Try again in 1 seconds.")
	case 500:
		return refusals["INTERNAL_PROCESSING_ERROR"]
	case 503:
		return refusals["SERVICE_UNAVAILABLE"]
	}
	return gatewayError(code, http.StatusText(code))
}

// lengthRequired is what a POST without body and without Content-Length gets.
var lengthRequired = raw(411, typeHTML, "<!DOCTYPE html><html><head><title>Length Required</title></head>"+
	"<body><h2>Length Required</h2><p>HTTP Error 411. The request must have a content length.</p></body></html>")

// requestRejected is the firewall's page; it comes with HTTP 200.
var requestRejected = core.Page(200, "Request Rejected")
