package standin_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
)

// The tables of README.md are those of the code: common faults once, each
// provider's own in its section.
func TestFaultsAreListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, common, _ := strings.Cut(string(text), "\n## Faults\n")
	common, _, _ = strings.Cut(common, "\n## ")
	headings := map[string]string{"mtn": "MTN", "mom-factura": "Mom Factura", "momentpay": "MomentPay"}
	for _, kind := range standin.All() {
		s, err := kind.Start(core.Options{}, "http://localhost:8080")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		_, own, _ := strings.Cut(string(text), "\n## "+headings[kind.Name]+"\n")
		own, _, _ = strings.Cut(own, "\n## ")
		for _, f := range s.Faults() {
			row := fmt.Sprintf("| `%s` | %s |\n", f.Name, f.Meaning)
			if !strings.Contains(common, row) && !strings.Contains(own, row) {
				t.Errorf("%s: README.md lacks\n%s", kind.Name, row)
			}
		}
	}
}
