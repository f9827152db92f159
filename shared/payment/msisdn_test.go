package payment_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

var plans = []payment.NumberPlan{payment.PlanAny, payment.PlanEswatini, payment.PlanAngola, payment.PlanSouthAfrica}

func TestParseMSISDN(t *testing.T) {
	t.Parallel()
	const any, sz, ao, za = payment.PlanAny, payment.PlanEswatini, payment.PlanAngola, payment.PlanSouthAfrica
	for _, tc := range []struct {
		in    string
		clean payment.MSISDN
		takes []payment.NumberPlan // every plan not named refuses it
	}{
		// The numbers of the contract.
		{"26876123456", "26876123456", []payment.NumberPlan{any, sz}},
		{"244923456789", "244923456789", []payment.NumberPlan{any, ao}},
		{"+27823778084", "27823778084", []payment.NumberPlan{any, za}},
		// MTN's test payers are Swedish.
		{"46733123450", "46733123450", []payment.NumberPlan{any}},

		{"+268 7612-3456", "26876123456", []payment.NumberPlan{any, sz}},
		{" +268 76 12 34 56 ", "26876123456", []payment.NumberPlan{any, sz}},
		{"268-76-123456-", "26876123456", []payment.NumberPlan{any, sz}},

		// Every Eswatini mobile prefix, and the ones beside them.
		{"26875000000", "26875000000", []payment.NumberPlan{any, sz}},
		{"26877999999", "26877999999", []payment.NumberPlan{any, sz}},
		{"26878123456", "26878123456", []payment.NumberPlan{any, sz}},
		{"26879123456", "26879123456", []payment.NumberPlan{any, sz}},
		{"26874123456", "26874123456", []payment.NumberPlan{any}},
		{"26870123456", "26870123456", []payment.NumberPlan{any}}, // VoIP
		{"26824041234", "26824041234", []payment.NumberPlan{any}}, // fixed line
		{"2687612345", "2687612345", []payment.NumberPlan{any}},
		{"268761234567", "268761234567", []payment.NumberPlan{any}},
		{"76123456", "76123456", []payment.NumberPlan{any}}, // no country code
		{"26976123456", "26976123456", []payment.NumberPlan{any}},

		{"244912345678", "244912345678", []payment.NumberPlan{any, ao}},
		{"244972345678", "244972345678", []payment.NumberPlan{any, ao}},
		{"244992345678", "244992345678", []payment.NumberPlan{any, ao}},
		{"244902345678", "244902345678", []payment.NumberPlan{any}},
		{"244982345678", "244982345678", []payment.NumberPlan{any}},
		{"244222345678", "244222345678", []payment.NumberPlan{any}}, // fixed line
		{"24492345678", "24492345678", []payment.NumberPlan{any}},
		{"2449234567890", "2449234567890", []payment.NumberPlan{any}},

		{"27612345678", "27612345678", []payment.NumberPlan{any, za}},
		{"27712345678", "27712345678", []payment.NumberPlan{any, za}},
		{"27812345678", "27812345678", []payment.NumberPlan{any, za}},
		{"27842345678", "27842345678", []payment.NumberPlan{any, za}},
		{"27802345678", "27802345678", []payment.NumberPlan{any}},
		{"27852345678", "27852345678", []payment.NumberPlan{any}},
		{"27112345678", "27112345678", []payment.NumberPlan{any}}, // fixed line
		{"2782377808", "2782377808", []payment.NumberPlan{any}},
		{"278237780845", "278237780845", []payment.NumberPlan{any}},

		{"12345678", "12345678", []payment.NumberPlan{any}},
		{"123456789012345", "123456789012345", []payment.NumberPlan{any}},

		{in: ""}, {in: " "}, {in: "+"}, {in: "-"}, {in: "1234567"}, {in: "1234567890123456"},
		{in: "++26876123456"}, {in: "26876123456+"}, {in: "268+76123456"}, {in: "(268)76123456"},
		{in: "268.76.123456"}, {in: "268/76123456"}, {in: "26876123456\n"}, {in: "\t26876123456"},
		{in: "26876123456\x00"}, {in: "268\u00a076123456"}, {in: "26876١٢٣٤٥٦"}, {in: "２6876123456"},
		{in: "2687612345a"}, {in: "0x26876123"}, {in: "2.6876e10"}, {in: "tel:26876123456"}, {in: "\xff26876123456"},
		{in: "26876123456" + strings.Repeat(" ", 30)}, {in: strings.Repeat("2", 10000)},
	} {
		for _, plan := range plans {
			got, err := payment.ParseMSISDN(tc.in, plan)
			if slices.Contains(tc.takes, plan) {
				if err != nil || got != tc.clean {
					t.Errorf("ParseMSISDN(%q, %q) = %q, %v; want %q", tc.in, plan, got, err, tc.clean)
				}
			} else if !errors.Is(err, payment.ErrMSISDN) || got != "" {
				t.Errorf("ParseMSISDN(%.40q, %q) = %q, %v; want ErrMSISDN", tc.in, plan, got, err)
			}
		}
	}
}

// A refusal names an example that would be taken.
func TestParseMSISDNExample(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`"(\d+)"`)
	for _, plan := range plans {
		for _, in := range []string{"46733123450", "x"} {
			_, err := payment.ParseMSISDN(in, plan)
			if plan == payment.PlanAny && in != "x" {
				continue
			}
			m := quoted.FindStringSubmatch(err.Error())
			if m == nil {
				t.Fatalf("%q, plan %q: %v has no example", in, plan, err)
			}
			if in == "x" {
				plan = payment.PlanAny // the form is wrong; the example shows the form
			}
			if _, err := payment.ParseMSISDN(m[1], plan); err != nil {
				t.Errorf("example %q is refused: %v", m[1], err)
			}
		}
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[payment.MSISDN]string{
		"26876123456":     "268******56",
		"123456789012345": "123**********45",
		"123456":          "123*56",
		"12345":           "*****",
		"":                "",
	} {
		if got := in.Masked(); got != want {
			t.Errorf("%q.Masked() = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseMSISDN(f *testing.F) {
	for _, in := range []string{"26876123456", "+27 82-377 8084", "244923456789", "46733123450", "1234567", "٣", "++1", "\xff"} {
		for i := range plans {
			f.Add(in, uint8(i))
		}
	}
	form := regexp.MustCompile(`\A[0-9]{8,15}\z`)
	country := map[payment.NumberPlan]string{payment.PlanEswatini: "268", payment.PlanAngola: "244", payment.PlanSouthAfrica: "27"}
	f.Fuzz(func(t *testing.T, in string, n uint8) {
		plan := plans[int(n)%len(plans)]
		got, err := payment.ParseMSISDN(in, plan)
		if err != nil {
			if !errors.Is(err, payment.ErrMSISDN) || got != "" {
				t.Fatalf("ParseMSISDN(%q, %q) = %q, %v", in, plan, got, err)
			}
			return
		}
		if !form.MatchString(string(got)) || !strings.HasPrefix(string(got), country[plan]) {
			t.Fatalf("ParseMSISDN(%q, %q) = %q", in, plan, got)
		}
		// Nothing but a plus, spaces and dashes was dropped, and no digit was
		// added, moved or lost: the money is asked of this very number.
		kept := strings.Map(func(r rune) rune {
			if r == '+' || r == ' ' || r == '-' {
				return -1
			}
			return r
		}, in)
		if kept != string(got) || strings.Count(in, "+") > 1 {
			t.Errorf("ParseMSISDN(%q) = %q", in, got)
		}
		for _, form := range []string{string(got), "+" + string(got)} {
			if again, err := payment.ParseMSISDN(form, plan); err != nil || again != got {
				t.Errorf("ParseMSISDN(%q) = %q, %v; want %q", form, again, err, got)
			}
		}
		if any, err := payment.ParseMSISDN(in, payment.PlanAny); err != nil || any != got {
			t.Errorf("plan %q takes %q, the free plan says %q, %v", plan, in, any, err)
		}
		if m := got.Masked(); len(m) != len(got) || !strings.Contains(m, "*") {
			t.Errorf("%q masked is %q", got, m)
		}
	})
}
