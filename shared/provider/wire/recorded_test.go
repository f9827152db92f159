package wire

import (
	"strings"
	"testing"
)

// An adapter that reads the record again reads what was read of the answer.
func TestRecorded(t *testing.T) {
	text := func(body, field string) string {
		o, err := ReadObject([]byte(body))
		if err != nil {
			t.Fatalf("%.80q: %v", body, err)
		}
		value, _ := o.Text(field)
		return value
	}
	for name, answer := range map[string]string{
		"plain":         `{"id":"pr_1","status":"paid"}`,
		"a large QR":    `{"id":"pr_1","qrCode":"` + strings.Repeat("A", 20<<10) + `","status":"paid"}`,
		"not UTF-8":     "{\"id\":\"pr_1\xff\xfe\",\"status\":\"n\xe3o\"}",
		"half a letter": "{\"id\":\"pr_1\xe2\x82\",\"status\":\"paid\"}",
	} {
		kept := recorded(answer, "")
		for _, field := range []string{"id", "status"} {
			if want, got := text(answer, field), text(kept, field); want != got {
				t.Errorf("%s: %s is kept as %q, and was %q", name, field, got, want)
			}
		}
	}
	for class, most := range map[string]int{ClassTooLarge: excerpt, "": MaxAnswer} {
		if n := len(recorded(strings.Repeat("\xff", MaxAnswer), class)); n > most || n < most-3 {
			t.Errorf("%q: %d bytes of rubbish kept", class, n)
		}
	}
}
