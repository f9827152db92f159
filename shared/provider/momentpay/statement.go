package momentpay

import "momoproxy/shared/provider"

// statement reads Moment's reconciliation and settlement reports. Names of columns
// and fields: docs.momentco.io/documentation/reconciliation-reporting, both forms
// of each. That the amount stands in "Presentment Amount", in major units, beside
// the documented currency, is NOT CONFIRMED, nor that merchant_reference_id is the
// external_reference that we send. A mapping file says otherwise.
var statement = provider.Statement{
	Columns: provider.StatementColumns{
		Reference:   "merchant_reference_id|Merchant Reference ID",
		StatementID: "reconciliation_id|Moment Transaction ID",
		Amount:      "presentment_amount|Presentment Amount",
		Currency:    "presentment_currency|Presentment Currency",
		At:          "transaction_timestamp|Transaction Timestamp",
		Type:        "transaction_type|Transaction Type",
	},
	Payment: []string{"Payment"},
	Refund:  []string{"Refund"},
}
