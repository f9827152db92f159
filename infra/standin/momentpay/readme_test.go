package momentpay_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"momoproxy/infra/standin/momentpay"
)

// TestREADME: the tables of infra/standin/README.md are those of the code.
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
	for _, sc := range momentpay.New(momentpay.Options{}).Scripts() {
		rows = append(rows, fmt.Sprintf("| %s | `%s` | %s |", sc.For[0], sc.Name, sc.Meaning))
	}
	for _, row := range rows {
		if !strings.Contains(section, row+"\n") {
			t.Errorf("it lacks\n%s", row)
		}
	}
}
