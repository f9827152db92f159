package providertest

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	gocmp "github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

var updateDecisions = flag.Bool("update-decisions", false, "rewrite testdata/decisions.golden")

// Matrix is what an adapter's test says about its decision table.
type Matrix struct {
	Decisions provider.Decisions
	// Golden is the file under testdata; empty: decisions.golden.
	Golden string
	// Operations are the columns of the table that the adapter asks, by method
	// where methods differ: {"submit mcx", OnSubmit}.
	Operations []MatrixOperation
	// Error is the provider's own error form with this code.
	Error func(code string) string
}

// MatrixOperation is one call of the adapter, given one answer to each attempt.
type MatrixOperation struct {
	Name string
	Kind provider.Operation
	// Body is an answer with this status word; for OnWord only.
	Body func(word string) string
	// Ask runs the real adapter over a connection that answers so.
	Ask func(t *testing.T, http int, body string) provider.Answer
}

// statuses are the HTTP statuses under which each unknown answer is tried.
var statuses = []int{200, 400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504}

// page is a web page of something between us and the provider.
const page = "<html><head><title>Request Rejected</title></head></html>"

// Run asks the adapter with every row of the table and, for every operation,
// with what no row names: an unknown code, an unknown status word, a web page
// and an empty body. What it said is held against the golden file.
// No answer that the table does not name may end a payment.
func (m Matrix) Run(t *testing.T) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operation\tHTTP\tanswer\tverdict\taccount\tattempts\tproof\tsource")
	for _, op := range m.Operations {
		for _, r := range m.Decisions {
			switch {
			case r.Operation == op.Kind:
				m.row(t, w, op, r)
			case op.Kind == provider.OnStatus && r.Operation == provider.OnSubmit && r.AccountFault:
				// The same refusal of a question says nothing of the payment,
				// and an operator is notified all the same.
				r.Verdict, r.Proof, r.Source = payment.SaysNothing, "", "" // nothing needs no proof
				m.row(t, w, op, r)
			}
		}
		if op.Kind == provider.OnWord {
			a := op.Ask(t, 200, op.Body("UNHEARD_OF"))
			open(t, op.Name+", an unknown word", a)
			line(w, op.Name, "200", "an unknown word", a, "", "")
			continue
		}
		m.unknown(t, w, op, "an unknown code", m.Error("UNHEARD_OF"))
		m.unknown(t, w, op, "a web page", page)
		m.unknown(t, w, op, "an empty body", "")
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	golden(t, cmp.Or(m.Golden, "decisions.golden"), out.Bytes())
}

// row shows what the adapter says to the answer that a row names.
func (m Matrix) row(t *testing.T, w *tabwriter.Writer, op MatrixOperation, r provider.Rule) {
	http, shown := r.HTTP, fmt.Sprint(r.HTTP)
	body, answer := m.Error(r.Code), r.Code
	switch {
	case op.Kind == provider.OnWord:
		http, shown, body = 200, "200", op.Body(r.Code)
	case http == 0:
		http, shown = 400, "any"
	}
	switch r.Code {
	case "":
		answer = "no code"
	case provider.AnyCode:
		body, answer = m.Error("UNHEARD_OF"), "any but a page"
	}
	a := op.Ask(t, http, body)
	if got := a.Evidence; got.AccountFault != r.AccountFault || got.Verdict != r.Verdict {
		t.Errorf("%s %d %q: %q, account fault %t; the table says %q, %t", op.Name, http, r.Code, got.Verdict, got.AccountFault, r.Verdict, r.AccountFault)
	}
	line(w, op.Name, shown, answer, a, r.Proof, r.Source)
}

// unknown groups the statuses under which one unknown answer means the same.
func (m Matrix) unknown(t *testing.T, w *tabwriter.Writer, op MatrixOperation, name, body string) {
	type meaning struct {
		verdict  payment.Verdict
		account  bool
		attempts int
	}
	var order []meaning
	under := map[meaning][]string{}
	answers := map[meaning]provider.Answer{}
	for _, http := range statuses {
		a := op.Ask(t, http, body)
		code := ""
		if body == m.Error("UNHEARD_OF") {
			code = "UNHEARD_OF"
		}
		if _, named := m.Decisions.Find(op.Kind, http, code, body == page); !named {
			open(t, fmt.Sprintf("%s, HTTP %d, %s", op.Name, http, name), a)
		}
		said := meaning{a.Evidence.Verdict, a.Evidence.AccountFault, len(a.Exchanges)}
		if !slices.Contains(order, said) {
			order = append(order, said)
		}
		under[said], answers[said] = append(under[said], fmt.Sprint(http)), a
	}
	for _, said := range order {
		line(w, op.Name, strings.Join(under[said], " "), name, answers[said], "", "")
	}
}

func line(w *tabwriter.Writer, operation, http, answer string, a provider.Answer, proof, source string) {
	account := ""
	if a.Evidence.AccountFault {
		account = "ours"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", operation, http, answer, a.Evidence.Verdict, account, len(a.Exchanges), proof, source)
}

// open: the answer leaves a payment open.
func open(t *testing.T, what string, a provider.Answer) {
	t.Helper()
	if _, ends := a.Evidence.Verdict.Ending(); ends || a.Evidence.Verdict == payment.SaysNotFound {
		t.Errorf("%s: %q, though no row of the table names it", what, a.Evidence.Verdict)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	lines := strings.Split(string(got), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got = []byte(strings.Join(lines, "\n"))
	path := filepath.Join("testdata", name)
	if *updateDecisions {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update-decisions after reading this:\n%s", diff)
	}
}
