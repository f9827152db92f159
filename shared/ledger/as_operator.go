package ledger

// AsOperator returns the same ledger, caches included, that names operator in
// the audit records of what is changed through it.
func (l *Ledger) AsOperator(operator string) *Ledger {
	named := *l
	named.operator = operator
	return &named
}
