package mtn

// TokenID is the id under which a configuration's token is stored.
func TokenID(c Config) string { return c.withDefaults().tokenID() }

// Decisions is the decision table, for its matrix.
var Decisions = decisions

// RefundDecisions is that of refunds and transfers.
var RefundDecisions = refundDecisions
