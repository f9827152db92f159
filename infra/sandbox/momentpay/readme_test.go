package momentpay_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"momoproxy/infra/sandbox/momentpay"
)

// TestREADME: the tables of infra/sandbox/README.md are those of the code.
func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## MomentPay\n")
	if !ok {
		t.Fatal("no section")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for _, p := range momentpay.Plans() {
		rows = append(rows, fmt.Sprintf("| %02d | `%s` | %s |", p.Code, p.Name, p.Meaning))
	}
	for _, f := range momentpay.Faults() {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", f, f.Meaning()))
	}
	for _, row := range rows {
		if !strings.Contains(section, row+"\n") {
			t.Errorf("it lacks\n%s", row)
		}
	}
}
