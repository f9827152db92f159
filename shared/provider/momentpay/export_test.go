package momentpay

// Decisions is the decision table, for its matrix.
var Decisions = decisions
