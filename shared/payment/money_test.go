package payment_test

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

func TestParseMoneyAccepts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, currency string
		minor        int64
		decimal      string
	}{
		{"150", "SZL", 15000, "150.00"},
		{"150.5", "SZL", 15050, "150.50"},
		{"150.50", "SZL", 15050, "150.50"},
		{"0.01", "SZL", 1, "0.01"},
		{"0.1", "SZL", 10, "0.10"},
		{"0.10", "EUR", 10, "0.10"},
		{"1", "ZAR", 100, "1.00"},
		{"10.09", "AOA", 1009, "10.09"},
		{"9999999999999.99", "SZL", 999999999999999, "9999999999999.99"},
		{"1", "UGX", 1, "1"},
		{"1000", "XAF", 1000, "1000"},
		{"999999999999999", "UGX", 999999999999999, "999999999999999"},
	} {
		t.Run(tc.in+" "+tc.currency, func(t *testing.T) {
			t.Parallel()
			got, err := payment.ParseMoney(tc.in, tc.currency)
			want := payment.Money{Minor: tc.minor, Currency: tc.currency}
			if err != nil || got != want {
				t.Fatalf("ParseMoney(%q, %q) = %v, %v; want %v", tc.in, tc.currency, got, err, want)
			}
			if got.Decimal() != tc.decimal {
				t.Errorf("Decimal() = %q, want %q", got.Decimal(), tc.decimal)
			}
			if want := tc.decimal + " " + tc.currency; got.String() != want {
				t.Errorf("String() = %q, want %q", got.String(), want)
			}
			if again, err := payment.ParseMoney(got.Decimal(), tc.currency); err != nil || again != got {
				t.Errorf("reading %q back = %v, %v; want %v", got.Decimal(), again, err, got)
			}
		})
	}
}

// refusedAlways is no amount in any currency.
var refusedAlways = []string{
	"", " ", ".", "..", "-5", "-0", "+5", "-0.01", "−5", "1e3", "1E3", "1e-2", "0x10", "0b1", "0o7",
	" 10 ", " 10", "10 ", "1 0", "10\n", "\t10", "10\x00", "\u00a010", "1,000", "1,00", "1_000", "1'000",
	"٣", "१०", "１０", "1٣", "10.٣", ".5", "5.", "1.2.3", "1..2", "5.-1", "5.+1", "5. 1", "5.1e1",
	"00.5", "00", "007", "01", "01.00", "NaN", "nan", "Inf", "+Inf", "-Inf", "Infinity", "null", "true", "ten",
	"$5", "5 SZL", "SZL5", "½", "1/2", "\"5\"", "\xff", "5\xff",
	strings.Repeat("9", 30), "1" + strings.Repeat("0", 29), strings.Repeat("9", 10000),
	strings.Repeat("1", 16), "0." + strings.Repeat("0", 50),
}

func TestParseMoneyRefuses(t *testing.T) {
	t.Parallel()
	refuse := func(in, currency string) {
		t.Helper()
		if got, err := payment.ParseMoney(in, currency); !errors.Is(err, payment.ErrAmount) || got != (payment.Money{}) {
			t.Errorf("ParseMoney(%.60q, %q) = %v, %v; want no money and ErrAmount", in, currency, got, err)
		}
	}
	for _, in := range refusedAlways {
		refuse(in, "SZL")
		refuse(in, "UGX")
	}
	// A payment moves something.
	for _, in := range []string{"0", "0.0", "0.00"} {
		refuse(in, "SZL")
	}
	refuse("0", "UGX")
	refuse("0.0", "UGX")
	// No more places than the currency has, zeros left out.
	for _, in := range []string{"0.001", "0.0101", "5.005", "1.999", "0.000"} {
		refuse(in, "SZL")
	}
	for _, in := range []string{"5.1", "5.01", "0.00"} {
		refuse(in, "UGX")
	}
	for in, want := range map[string]payment.Money{
		"5000.00": {Minor: 5000, Currency: "UGX"}, "5.0": {Minor: 5, Currency: "UGX"},
		"5.000": {Minor: 500, Currency: "SZL"}, "0.010": {Minor: 1, Currency: "SZL"},
	} {
		if got, err := payment.ParseMoney(in, want.Currency); err != nil || got != want {
			t.Errorf("ParseMoney(%q, %s) = %v, %v; want %v", in, want.Currency, got, err, want)
		}
	}
	if _, err := payment.ParseMoney("-5", "SZL"); err == nil || !strings.Contains(err.Error(), "greater than zero") {
		t.Errorf("-5: %v", err)
	}
	// 15 digits, minor units included.
	refuse("10000000000000.00", "SZL")
	refuse("10000000000000", "SZL")
	refuse("1000000000000000", "UGX")
	// A currency that is not known exactly has no known exponent.
	for _, currency := range []string{"", "szl", "XXX", "JPY", "SZL ", "SZ", "268"} {
		refuse("5", currency)
	}
}

// The message goes to the app's developer: it must say what to change and
// must not repeat what was sent.
func TestParseMoneySaysWhatToChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, currency, part string }{
		{"0.00", "SZL", "greater than zero"},
		{"1e3", "SZL", "digits with at most one decimal point"},
		{"007", "SZL", "start with a zero"},
		{"0.001", "SZL", "SZL has 2 decimal places, not 3"},
		{"0.1", "UGX", "UGX has 0 decimal places, not 1"},
		{strings.Repeat("9", 30), "SZL", "more than 15 digits"},
		{strings.Repeat("9", 41), "SZL", "too many digits"},
		{"5", "XXX", "unknown currency"},
	} {
		_, err := payment.ParseMoney(tc.in, tc.currency)
		if err == nil || !strings.Contains(err.Error(), tc.part) {
			t.Errorf("ParseMoney(%q, %q): %v; want it to say %q", tc.in, tc.currency, err, tc.part)
		}
	}
}

func TestParseReported(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, currency string
		minor        int64
	}{
		// MTN normalises: sent "5.0", came back "5".
		{"5", "SZL", 500}, {"5.0", "SZL", 500}, {"5.00", "SZL", 500}, {"5.000", "SZL", 500},
		{"100", "SZL", 10000}, {"100.000", "SZL", 10000}, {"100.5", "SZL", 10050}, {"100.50000", "SZL", 10050},
		{"5", "UGX", 5}, {"5.0", "UGX", 5}, {"100.000", "UGX", 100},
		{"0", "SZL", 0}, {"0.000", "UGX", 0}, {"0.01000", "SZL", 1},
		{"5." + strings.Repeat("0", 38), "SZL", 500},
	} {
		got, err := payment.ParseReported(tc.in, tc.currency)
		if want := (payment.Money{Minor: tc.minor, Currency: tc.currency}); err != nil || got != want {
			t.Errorf("ParseReported(%q, %q) = %v, %v; want %v", tc.in, tc.currency, got, err, want)
		}
	}
	for _, currency := range []string{"SZL", "UGX"} {
		for _, in := range append([]string{"5.005", "0.001", "5.0001", "5.0005000", "5." + strings.Repeat("0", 39)}, refusedAlways...) {
			if got, err := payment.ParseReported(in, currency); !errors.Is(err, payment.ErrAmount) || got != (payment.Money{}) {
				t.Errorf("ParseReported(%.60q, %q) = %v, %v; want no money and ErrAmount", in, currency, got, err)
			}
		}
	}
	if _, err := payment.ParseReported("5.1", "UGX"); !errors.Is(err, payment.ErrAmount) {
		t.Errorf("ParseReported(5.1, UGX): %v; want ErrAmount", err)
	}
}

// ISO 4217: amounts in these currencies have no decimal places; the others
// that a provider here can have, two.
func TestExponent(t *testing.T) {
	t.Parallel()
	for exponent, currencies := range map[int]string{
		0: "UGX XAF XOF RWF GNF BIF",
		2: "SZL AOA ZAR EUR USD GHS ZMW LRD NGN SSP LSL MZN MWK TZS KES CDF SLE",
	} {
		for currency := range strings.FieldsSeq(currencies) {
			if got, ok := payment.Exponent(currency); !ok || got != exponent {
				t.Errorf("Exponent(%q) = %d, %v; want %d", currency, got, ok, exponent)
			}
		}
	}
	if got, ok := payment.Exponent("XXX"); ok {
		t.Errorf("Exponent(XXX) = %d, known; want unknown", got)
	}
}

var plainDecimal = regexp.MustCompile(`\A(0|[1-9][0-9]*)(\.[0-9]+)?\z`)

// FuzzParseMoney holds both readers against math/big: what they accept is a
// plain decimal, has the same value, and survives being written and read.
func FuzzParseMoney(f *testing.F) {
	for _, in := range refusedAlways {
		f.Add(in, "SZL")
	}
	for _, in := range []string{"0", "0.00", "0.01", "0.001", "1", "150.00", "5.0", "100.000", "9999999999999.99"} {
		f.Add(in, "SZL")
		f.Add(in, "UGX")
	}
	f.Fuzz(func(t *testing.T, in, currency string) {
		sent, sentErr := payment.ParseMoney(in, currency)
		reported, reportedErr := payment.ParseReported(in, currency)
		exponent, known := payment.Exponent(currency)
		for _, err := range []error{sentErr, reportedErr} {
			if err != nil && !errors.Is(err, payment.ErrAmount) {
				t.Errorf("%v is not ErrAmount", err)
			}
		}
		if sentErr == nil {
			if sent.Minor <= 0 {
				t.Errorf("%q is %d minor units, want more than zero", in, sent.Minor)
			}
			if reportedErr != nil || reported != sent {
				t.Errorf("%q: sent reads %v, reported %v, %v", in, sent, reported, reportedErr)
			}
			if _, places, _ := strings.Cut(in, "."); len(strings.TrimRight(places, "0")) > exponent {
				t.Errorf("%q has more places than %s", in, currency)
			}
		} else if sent != (payment.Money{}) {
			t.Errorf("%v beside an error", sent)
		}
		if reportedErr != nil {
			if reported != (payment.Money{}) {
				t.Errorf("%v beside an error", reported)
			}
			return
		}

		if !known || !plainDecimal.MatchString(in) || reported.Minor < 0 || reported.Currency != currency {
			t.Fatalf("%q %q was read as %v", in, currency, reported)
		}
		value, _ := new(big.Rat).SetString(in)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil))
		if minor := new(big.Rat).Mul(value, scale); minor.Cmp(new(big.Rat).SetInt64(reported.Minor)) != 0 {
			t.Errorf("%q is %v minor units, read as %d", in, minor, reported.Minor)
		}
		written := reported.Decimal()
		if back, ok := new(big.Rat).SetString(written); !ok || back.Cmp(value) != 0 || !plainDecimal.MatchString(written) {
			t.Errorf("%q is written as %q", in, written)
		}
		if again, err := payment.ParseReported(written, currency); err != nil || again != reported {
			t.Errorf("%q read back = %v, %v; want %v", written, again, err, reported)
		}
		if reported.Minor > 0 {
			if again, err := payment.ParseMoney(written, currency); err != nil || again != reported {
				t.Errorf("%q is not an amount an app can send: %v, %v", written, again, err)
			}
		}
	})
}
