package httpapi

import (
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
)

// ReadRequest is what the fuzz target reads bodies with.
var ReadRequest = readRequest

// ReadListQuery is what the fuzz target reads queries with.
func ReadListQuery(query string) (filter ledger.PaymentFilter, limit int, cursor string, faults []gateway.Fault) {
	q, faults := readListQuery(Request{RawQueryString: query})
	return q.filter, q.limit, q.cursor, faults
}

// ReadPayerCheck is what the fuzz target reads bodies with.
func ReadPayerCheck(body []byte) (payer, provider string, faults []gateway.Fault, err error) {
	c, faults, err := readPayerCheck(body)
	return c.payer, c.provider, faults, err
}
