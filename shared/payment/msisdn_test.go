package payment_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

var plans = []payment.NumberPlan{payment.PlanAnyMarket, payment.PlanEswatini, payment.PlanAngola, payment.PlanSouthAfrica}

func TestParseMSISDN(t *testing.T) {
	t.Parallel()
	const any, sz, ao, za = payment.PlanAnyMarket, payment.PlanEswatini, payment.PlanAngola, payment.PlanSouthAfrica
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
		{in: "46733123450"},

		{"+268 7612-3456", "26876123456", []payment.NumberPlan{any, sz}},
		{" +268 76 12 34 56 ", "26876123456", []payment.NumberPlan{any, sz}},
		{"268-76-123456-", "26876123456", []payment.NumberPlan{any, sz}},

		// Every Eswatini mobile prefix, and the ones beside them.
		{"26875000000", "26875000000", []payment.NumberPlan{any, sz}},
		{"26877999999", "26877999999", []payment.NumberPlan{any, sz}},
		{"26878123456", "26878123456", []payment.NumberPlan{any, sz}},
		{"26879123456", "26879123456", []payment.NumberPlan{any, sz}},
		{in: "26874123456"},
		{in: "26870123456"}, // VoIP
		{in: "26824041234"}, // fixed line
		{in: "2687612345"},
		{in: "268761234567"},
		{in: "76123456"}, // no country code
		{in: "26976123456"},

		{"244912345678", "244912345678", []payment.NumberPlan{any, ao}},
		{"244972345678", "244972345678", []payment.NumberPlan{any, ao}},
		{"244992345678", "244992345678", []payment.NumberPlan{any, ao}},
		{in: "244902345678"},
		{in: "244982345678"},
		{in: "244222345678"}, // fixed line
		{in: "24492345678"},
		{in: "2449234567890"},

		{"27612345678", "27612345678", []payment.NumberPlan{any, za}},
		{"27712345678", "27712345678", []payment.NumberPlan{any, za}},
		{"27812345678", "27812345678", []payment.NumberPlan{any, za}},
		{"27842345678", "27842345678", []payment.NumberPlan{any, za}},
		{in: "27802345678"},
		{in: "27852345678"},
		{in: "27112345678"}, // fixed line
		{in: "2782377808"},
		{in: "278237780845"},

		{in: "12345678"},
		{in: "123456789012345"},

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

// National forms are refused in every market, and the message has the number
// that the payer most likely means. A 0 that belongs to the number stays.
func TestParseMSISDNNationalForms(t *testing.T) {
	t.Parallel()
	for plan, c := range map[payment.NumberPlan]struct {
		whole    string
		national []string
	}{
		"UG": {"256772123456", []string{"0772123456", "00256772123456", "772123456", "+2560772123456"}},
		"GH": {"233241234567", []string{"0241234567", "00233241234567", "241234567", "2330241234567"}},
		"ZM": {"260961234567", []string{"0961234567", "00260961234567", "961234567", "2600961234567"}},
		"CM": {"237671234567", []string{"00237671234567", "671234567"}},
		"BJ": {"2290196123456", []string{"0196123456", "002290196123456"}},
		"CI": {"2250512345678", []string{"0512345678", "002250512345678"}},
		"CG": {"242061234567", []string{"061234567", "00242061234567"}},
		"GN": {"224661234567", []string{"00224661234567", "661234567"}},
		"LR": {"231886123456", []string{"0886123456", "00231886123456", "886123456"}},
		"RW": {"250781234567", []string{"0781234567", "00250781234567", "781234567"}},
		"NG": {"2348031234567", []string{"08031234567", "002348031234567", "8031234567"}},
		"SS": {"211921234567", []string{"0921234567", "00211921234567", "921234567"}},
		"SZ": {"26876123456", []string{"76123456", "0026876123456"}},
		"AO": {"244923456789", []string{"923456789", "00244923456789"}},
		"ZA": {"27823778084", []string{"0823778084", "0027823778084", "823778084", "270823778084"}},
		"GW": {"245955012345", []string{"955012345", "00245955012345"}},
	} {
		for _, p := range []payment.NumberPlan{plan, payment.PlanAnyMarket} {
			if got, err := payment.ParseMSISDN("+"+c.whole, p); err != nil || string(got) != c.whole {
				t.Errorf("%s, plan %s: %q, %v", c.whole, p, got, err)
			}
		}
		for _, in := range c.national {
			if _, err := payment.ParseMSISDN(in, plan); !errors.Is(err, payment.ErrMSISDN) || !strings.Contains(err.Error(), `"`+c.whole+`"`) {
				t.Errorf("%s, plan %s: %v; want %s in the message", in, plan, err, c.whole)
			}
			if _, err := payment.ParseMSISDN(in, payment.PlanAnyMarket); !errors.Is(err, payment.ErrMSISDN) {
				t.Errorf("%s is taken in a test environment: %v", in, err)
			}
		}
	}
	// Benin and Côte d'Ivoire have renumbered: the old form is no number now.
	for in, plan := range map[string]payment.NumberPlan{"22997123456": "BJ", "22505123456": "CI"} {
		if _, err := payment.ParseMSISDN(in, plan); !errors.Is(err, payment.ErrMSISDN) {
			t.Errorf("%s: %v", in, err)
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
			m := quoted.FindStringSubmatch(err.Error())
			if m == nil {
				t.Fatalf("%q, plan %q: %v has no example", in, plan, err)
			}
			if in == "x" {
				plan = payment.PlanAnyMarket // the form is wrong; the example shows the form
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
		if any, err := payment.ParseMSISDN(in, payment.PlanAnyMarket); err != nil || any != got {
			t.Errorf("plan %q takes %q, the plan of all says %q, %v", plan, in, any, err)
		}
		if m := got.Masked(); len(m) != len(got) || !strings.Contains(m, "*") {
			t.Errorf("%q masked is %q", got, m)
		}
	})
}

// A number has 8 to 15 digits, written in at most 40 characters.
func TestCleanMSISDNBounds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"12345678": "12345678", "123456789012345": "123456789012345", "12345678" + strings.Repeat(" ", 32): "12345678",
		"1234567": "", "1234567890123456": "", "12345678" + strings.Repeat(" ", 33): "",
	} {
		got, err := payment.CleanMSISDN(in)
		if got != want || errors.Is(err, payment.ErrMSISDN) != (want == "") {
			t.Errorf("CleanMSISDN(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
