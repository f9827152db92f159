package statement

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

const mapping = `{
  "columns": {"reference": "External Id", "transactionId": "Id", "amount": "Amount", "at": "Date", "status": "Status", "type": "Kind"},
  "separator": ";", "currency": "SZL", "timeLayouts": ["02/01/2006 15:04"], "zone": "Africa/Mbabane",
  "payment": ["Debit"], "refund": ["Refund"], "paid": ["Successful"], "notPaid": ["Failed"], "ignore": ["Total"]
}`

const ref = "33333333-3333-4333-8333-333333333333"

func TestRead(t *testing.T) {
	form, err := ReadMapping(strings.NewReader(mapping))
	if err != nil {
		t.Fatal(err)
	}
	file := "\xef\xbb\xbfMTN Fintech;report\nId;STATUS;Kind;Date;External Id;Amount\n" +
		"77;Successful;Debit;01/09/2026 00:30;" + strings.ToUpper(ref) + ";1,234.50\n" +
		"78;failed;debit;31/08/2026 12:00;x;5\n" +
		"79;Successful;Refund;31/08/2026 12:00;y;-5.00\n" +
		"80;Reversed;Debit;31/08/2026 12:00;z;5\n" +
		"81;Successful;Debit;yesterday;z;5\n" +
		"82;Successful;Debit;31/08/2026 12:00;z;1.234,50\n" +
		";Successful;Debit;31/08/2026 12:00;;5\n" +
		"83\n\nTotal;;;;;1249.50\n"
	got, err := Read(strings.NewReader(file), form)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 8, 31, 10, 0, 0, 0, time.UTC)
	five := payment.Money{Minor: 500, Currency: "SZL"}
	want := File{Ignored: 1, Rows: []Row{
		{Line: 3, Kind: Payment, Paid: true, Reference: ref, TransactionID: "77", Amount: payment.Money{Minor: 123450, Currency: "SZL"}, At: time.Date(2026, 8, 31, 22, 30, 0, 0, time.UTC)},
		{Line: 4, Kind: Payment, Reference: "x", TransactionID: "78", Amount: five, At: noon},
		{Line: 5, Kind: Refund, Paid: true, Reference: "y", TransactionID: "79", Amount: five, At: noon},
		{Line: 6, Kind: Payment, Paid: true, Reference: "z", TransactionID: "80", Amount: five, At: noon, Fault: `no status is called "Reversed"`},
		{Line: 7, Kind: Payment, Paid: true, Reference: "z", TransactionID: "81", Amount: five, Fault: `"yesterday" is no time of the forms expected`},
		{Line: 8, Kind: Payment, Paid: true, Reference: "z", TransactionID: "82", At: noon, Fault: `amount "1.234,50": invalid amount: must be digits with at most one decimal point, such as "150.00"`},
		{Line: 9, Kind: Payment, Paid: true, Amount: five, At: noon, Fault: "it has no id of a payment"},
		{Line: 10, Kind: Payment, Paid: true, TransactionID: "83", Fault: `no type of a transaction is called ""`},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMinorUnits(t *testing.T) {
	form := provider.Statement{MinorUnits: true, Columns: provider.StatementColumns{TransactionID: "id", Amount: "amount", Currency: "currency"}}
	for text, want := range map[string]int64{"0": 0, "7": 7, "42": 42, "15000": 15000, "1,500": 1500} {
		f, err := Read(strings.NewReader("id;amount;currency\n1;"+text+";ZAR\n"), provider.Statement{MinorUnits: true, Separator: ";", Columns: form.Columns})
		if err != nil || f.Rows[0].Amount.Minor != want || f.Rows[0].Fault != "" {
			t.Errorf("%s: %+v %v", text, f, err)
		}
	}
	for _, text := range []string{"1.5", "-1", "x", ""} {
		if f, err := Read(strings.NewReader("id,amount,currency\n1,"+text+",ZAR\n"), form); err != nil || f.Rows[0].Fault == "" {
			t.Errorf("%q: %+v %v", text, f, err)
		}
	}
	if f, err := Read(strings.NewReader("id,amount,currency\n1,1500,UGX\n"), form); err != nil || f.Rows[0].Amount.Minor != 1500 {
		t.Errorf("%+v %v", f, err)
	}
}

func TestForms(t *testing.T) {
	for _, text := range []string{
		"", "{", `{"columns": {}}`, `{"columns": {"amount": "a"}, "currency": "SZL"}`, `{"columns": {"amount": "a", "reference": "r"}}`,
		`{"columns": {"amount": "a", "reference": "r"}, "currency": "SZL", "separator": "--"}`,
		`{"columns": {"amount": "a", "reference": "r", "status": "s"}, "currency": "SZL"}`,
		`{"columns": {"amount": "a", "reference": "r", "betrag": "s"}, "currency": "SZL"}`,
	} {
		if _, err := ReadMapping(strings.NewReader(text)); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", text, err)
		}
	}
	form := provider.Statement{Currency: "SZL", Columns: provider.StatementColumns{Reference: "a|b", Amount: "c"}}
	for _, text := range []string{"", "a,d\n1,2\n", "x\n"} {
		if _, err := Read(strings.NewReader(text), form); !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), "a|b, c") {
			t.Errorf("%q: %v", text, err)
		}
	}
	form.Zone = "Mbabane"
	if _, err := Read(strings.NewReader("b,c\n"), form); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
}
