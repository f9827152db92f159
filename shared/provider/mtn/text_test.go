package mtn

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSendable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Order 12":                      "Order 12",
		"":                              defaultText,
		"   ":                           defaultText,
		"(✓)":                           defaultText,
		"- . -":                         defaultText,
		"支払い":                           defaultText,
		"General (Presale)":             "General Presale",
		"Tom's & Jerry's":               "Tom s Jerry s",
		"Café São João":                 "Cafe Sao Joao",
		"e\u0301te\u0301":               "ete",
		"a\u00a0b\tc":                   "a b c",
		"ﬁsh №7":                        "fish No7",
		"<b>7</b>; DROP":                "b 7 b DROP",
		"a_b-c.d,e":                     "a_b-c.d,e",
		strings.Repeat("x", 160):        strings.Repeat("x", 160),
		strings.Repeat("ﬁ", 160):        strings.Repeat("fi", 80),
		strings.Repeat("x", 159) + "(y": strings.Repeat("x", 159),
	} {
		if got := sendable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

var allowed = regexp.MustCompile(`^[A-Za-z0-9.,_-]+( [A-Za-z0-9.,_-]+)*$`)

// FuzzSendable: whatever an app sends, what goes to MTN passes its firewall.
func FuzzSendable(f *testing.F) {
	f.Add("General (Presale)")
	f.Add("\xff\ud7ff ﬁ")
	f.Fuzz(func(t *testing.T, text string) {
		got := sendable(text)
		if !allowed.MatchString(got) || utf8.RuneCountInString(got) > longestText || sendable(got) != got {
			t.Errorf("%q gives %q", text, got)
		}
	})
}
