package docs

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/payment"
)

var update = flag.Bool("update", false, "write docs/failure-codes.md")

// docs/failure-codes.md is made of what the code decides by.
func TestFailureCodes(t *testing.T) {
	t.Parallel()
	const page = repository + "/docs/failure-codes.md"
	want := failurePage()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("go test ./infra/docs -run TestFailureCodes -update writes it anew (-code +page):\n%s", diff)
	}
}

var tries = map[payment.NewTry]string{
	payment.TryNow: "yes", payment.TryLater: "later, once the cause is mended",
	payment.TryNever: "no, not as it is", payment.TryAsk: "look first",
}

func failurePage() []byte {
	var b bytes.Buffer
	b.WriteString(`# Failure codes

Why a payment did not succeed stands in ` + "`failureCode`" + `: in the callback, in ` + "`GET /status`" + `, in the list, and in the
answer to a request that was refused at once. The words are the same for every provider. The provider's own code
stays beside it, in ` + "`reason`" + ` and ` + "`failureReason`" + `.

More codes may come. Read one that you do not know as ` + "`UNSPECIFIED_FAILURE`" + `.

This page is made of the tables in ` + "`shared/payment/failure.go`" + ` and in each provider's folder.

| Code | What it means | Does a new try help? |
|---|---|---|
`)
	for _, f := range payment.Failures {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Code, f.Meaning, tries[f.NewTry])
	}
	b.WriteString(`
A new try is a new payment: a new ` + "`Idempotency-Key`" + `, the same ` + "`externalId`" + `.

## What to tell the customer

| Code | English | Português | Français |
|---|---|---|---|
`)
	for _, f := range payment.Failures {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Code, f.English, f.Portuguese, f.French)
	}
	for _, r := range providers.All() {
		codes := r.Offline().Capabilities().Methods[0].Policy.Failures
		fmt.Fprintf(&b, "\n## The codes of %s\n\n| Its code or status word | Ours |\n|---|---|\n", r.Title)
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", code, codes[code])
		}
	}
	return b.Bytes()
}
