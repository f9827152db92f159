package provider

// Statement says how a provider's file of transactions is read. The file is CSV:
// any lines, a line of column names, then one transaction a line. In JSON it is
// the mapping file of momoctl reconcile-file.
type Statement struct {
	Columns StatementColumns `json:"columns"`
	// Separator is between the cells; empty: a comma.
	Separator string `json:"separator,omitempty"`
	// Currency is that of every amount, where no column names one.
	Currency string `json:"currency,omitempty"`
	// MinorUnits: amounts are whole numbers of cents.
	MinorUnits bool `json:"minorUnits,omitempty"`
	// TimeLayouts are the forms of the times, in the notation of Go's package time.
	// None: RFC 3339, or 2006-01-02 15:04:05. Zone is that of times which name
	// none; empty: UTC.
	TimeLayouts []string `json:"timeLayouts,omitempty"`
	Zone        string   `json:"zone,omitempty"`
	// Payment and Refund are the words of the type column, Paid and NotPaid those
	// of the status column; letter case does not count. Without a type column each
	// row is a payment, without a status column each row is paid. A row with a
	// word of Ignore in one of the two, or in its first cell, is left out.
	Payment []string `json:"payment,omitempty"`
	Refund  []string `json:"refund,omitempty"`
	Paid    []string `json:"paid,omitempty"`
	NotPaid []string `json:"notPaid,omitempty"`
	Ignore  []string `json:"ignore,omitempty"`
}

// StatementColumns are the names of a statement's columns; letter case does not
// count. Several names that a column may have are separated by "|". Empty: there
// is no such column. Amount is needed, and one of Reference, ProviderID and
// TransactionID.
type StatementColumns struct {
	Reference     string `json:"reference,omitempty"`     // our reference, as we gave it to the provider
	ProviderID    string `json:"providerId,omitempty"`    // the provider's id of the request
	TransactionID string `json:"transactionId,omitempty"` // the provider's id of the moved money
	StatementID   string `json:"statementId,omitempty"`   // the file's own id of the row, for the provider's support
	Amount        string `json:"amount"`
	Currency      string `json:"currency,omitempty"`
	At            string `json:"at,omitempty"`
	Type          string `json:"type,omitempty"`
	Status        string `json:"status,omitempty"`
}
