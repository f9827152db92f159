package mtn_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// What becomes of a payer's payment when the caller asks, and asks again
// under the same reference until it is told 202 or 409, or gave up.
var ends = map[string]struct {
	first   int // answer to the first request; 0: none
	settles bool
	status  string // truth a month later; empty: never accepted
	reason  string
	charges int
}{
	"success": {202, true, "SUCCESSFUL", "", 1},
	"mtn_450": {202, true, "FAILED", "INTERNAL_PROCESSING_ERROR", 0},
	"mtn_451": {202, true, "FAILED", "APPROVAL_REJECTED", 0},
	"mtn_452": {202, true, "FAILED", "EXPIRED", 0},
	"mtn_453": {202, true, "FAILED", "EXPIRED", 0},
	"mtn_454": {202, true, "SUCCESSFUL", "", 1},
	"mtn_455": {first: 500}, "mtn_456": {first: 500}, "mtn_457": {first: 500}, "mtn_458": {first: 500},
	"mtn_459": {first: 500}, "mtn_460": {first: 500}, "mtn_461": {first: 500}, "mtn_462": {first: 503},
	"mtn_463": {202, true, "FAILED", "COULD_NOT_PERFORM_TRANSACTION", 0},
	"mtn_464": {first: 500},

	"callback_lost":           {202, true, "SUCCESSFUL", "", 1},
	"callback_late":           {202, true, "SUCCESSFUL", "", 1},
	"callback_double":         {202, true, "SUCCESSFUL", "", 1},
	"callback_forged":         {202, true, "FAILED", "APPROVAL_REJECTED", 0},
	"callback_put":            {202, true, "SUCCESSFUL", "", 1},
	"callback_first":          {202, true, "SUCCESSFUL", "", 1},
	"callback_forged_only":    {202, true, "FAILED", "APPROVAL_REJECTED", 0},
	"callback_forged_pending": {202, true, "PENDING", "", 0},
	"callback_forged_failure": {202, true, "SUCCESSFUL", "", 1},

	"slow":            {202, true, "SUCCESSFUL", "", 1},
	"pending_forever": {202, true, "PENDING", "", 0},
	"late_success":    {202, true, "SUCCESSFUL", "", 1},
	"corrected":       {202, true, "SUCCESSFUL", "", 1},
	"hidden":          {202, true, "SUCCESSFUL", "", 1},
	"pin_not_entered": {202, true, "FAILED", "COULD_NOT_PERFORM_TRANSACTION", 0},

	"timeout_before": {}, "reset_before": {},
	"timeout_after":          {0, true, "SUCCESSFUL", "", 1},
	"reset_after":            {0, true, "SUCCESSFUL", "", 1},
	"timeout_once":           {0, true, "SUCCESSFUL", "", 1},
	"reset_once":             {0, true, "SUCCESSFUL", "", 1},
	"timeout_after_lost":     {0, true, "SUCCESSFUL", "", 1},
	"timeout_after_rejected": {0, true, "FAILED", "APPROVAL_REJECTED", 0},
	"error500_charged":       {500, true, "SUCCESSFUL", "", 1},
	"error500":               {first: 500},
	"error500_once":          {500, true, "SUCCESSFUL", "", 1},
	"error503":               {first: 503},
	"error503_once":          {503, true, "SUCCESSFUL", "", 1},
	"error503_charged":       {503, true, "SUCCESSFUL", "", 1},
	"error429":               {first: 429},
	"error429_once":          {429, true, "SUCCESSFUL", "", 1},
	"error401_once":          {401, true, "SUCCESSFUL", "", 1},
	"error403":               {first: 403},
	"html200":                {first: 200},
	"html200_charged":        {200, true, "SUCCESSFUL", "", 1},
	"json200_charged":        {200, true, "SUCCESSFUL", "", 1},
	"json200":                {first: 200},

	"failed_not_enough_funds":              {202, true, "FAILED", "NOT_ENOUGH_FUNDS", 0},
	"failed_approval_rejected":             {202, true, "FAILED", "APPROVAL_REJECTED", 0},
	"failed_expired":                       {202, true, "FAILED", "EXPIRED", 0},
	"failed_could_not_perform_transaction": {202, true, "FAILED", "COULD_NOT_PERFORM_TRANSACTION", 0},
	"failed_payer_limit_reached":           {202, true, "FAILED", "PAYER_LIMIT_REACHED", 0},
	"failed_payer_not_found":               {202, true, "FAILED", "PAYER_NOT_FOUND", 0},
	"failed_sender_account_not_active":     {202, true, "FAILED", "SENDER_ACCOUNT_NOT_ACTIVE", 0},
	"failed_payee_not_allowed_to_receive":  {202, true, "FAILED", "PAYEE_NOT_ALLOWED_TO_RECEIVE", 0},
	"failed_something_new":                 {202, true, "FAILED", "SOMETHING_NEW", 0},
	"failed_without_reason":                {202, true, "FAILED", "", 0},
	"refused_payer_not_found":              {first: 500},

	"status_truncated":      {202, true, "SUCCESSFUL", "", 1},
	"status_unknown_word":   {202, true, "SUCCESSFUL", "", 1},
	"status_wrong_amount":   {202, true, "SUCCESSFUL", "", 1},
	"status_wrong_payer":    {202, true, "SUCCESSFUL", "", 1},
	"status_wrong_currency": {202, true, "SUCCESSFUL", "", 1},
	"status_reason_object":  {202, true, "FAILED", "NOT_ENOUGH_FUNDS", 0},
	"status_number_fields":  {202, true, "SUCCESSFUL", "", 1},
	"status_html":           {202, true, "SUCCESSFUL", "", 1},
	"status_error500":       {202, true, "SUCCESSFUL", "", 1},
	"status_error503":       {202, true, "SUCCESSFUL", "", 1},
	"status_timeout":        {202, true, "SUCCESSFUL", "", 1},
	"status_reset":          {202, true, "SUCCESSFUL", "", 1},
}

// Every script, asked for by each of its numbers, ends as the table says and
// never moves money twice.
func TestPayers(t *testing.T) {
	t.Parallel()
	lines := mtn.New(mtn.Options{}).Scripts()
	lines = slices.DeleteFunc(lines, func(l core.ScriptMeaning) bool { return len(l.For) == 0 }) // only transfers and refunds ask for it
	if len(lines) != len(ends) {
		t.Errorf("%d scripts, %d tested", len(lines), len(ends))
	}
	for _, line := range lines {
		want, ok := ends[line.Name]
		if !ok {
			t.Errorf("%s is not tested", line.Name)
		}
		for _, payer := range line.For {
			t.Run(line.Name+" "+payer, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, mtn.Options{})
					defer w.Close()
					settled := false
					for try := 0; try < 4 && !settled; try++ {
						ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
						code, err := w.pay(ctx, refA, payer)
						cancel()
						if try == 0 && (code != want.first || (err == nil) != (want.first != 0)) {
							t.Errorf("first answer %d, %v, want %d", code, err, want.first)
						}
						settled = code == 202 || code == 409
					}
					if settled != want.settles {
						t.Errorf("settled %t", settled)
					}
					time.Sleep(30 * 24 * time.Hour)
					e := w.entry(refA)
					if e.Script != line.Name || e.Status != want.status || e.Reason != want.reason || e.Charges != want.charges {
						t.Errorf("in the end: %+v", e)
					}
				})
			})
		}
	}
}

// Numbers are unique, fit the plan of their country, and each is in README.md
// with its meaning.
func TestPayersAreListed(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	form := regexp.MustCompile(`^(2687699\d{4}|46733\d{6}|56733123453)$`)
	for _, line := range mtn.New(mtn.Options{}).Scripts() {
		for _, n := range line.For {
			if seen[n] != "" || !form.MatchString(n) {
				t.Errorf("%s: number %s, also of %q", line.Name, n, seen[n])
			}
			seen[n] = line.Name
		}
		row := "| " + strings.Join(line.For, ", ") + " | `" + line.Name + "` | " + line.Meaning + " |"
		if !strings.Contains(string(readme), row+"\n") {
			t.Errorf("README.md lacks\n%s", row)
		}
		if got := mtn.Payer(line.Name); line.Name != mtn.ScriptSuccess && len(line.For) > 0 && got != line.For[0] {
			t.Errorf("Payer(%q) = %s", line.Name, got)
		}
	}
}

// The documented behaviour of …453 can be had too.
func TestDocumentedPayers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{DocumentedPayers: true})
		defer w.Close()
		w.mustPay(refA, "46733123453")
		w.mustPay(refB, "46733123454")
		time.Sleep(time.Hour)
		if a, b := w.entry(refA), w.entry(refB); a.Status != "SUCCESSFUL" || b.Status != "SUCCESSFUL" {
			t.Errorf("%s, %s", a.Status, b.Status)
		}
	})
}

// The first three status answers go wrong, the fourth does not.
func TestStatusScripts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{Options: core.Options{InstantTimeouts: true}})
		defer w.Close()
		for plan, want := range map[string]outcome{
			"status_truncated": {code: 200, class: "broken"},
			"status_html":      {code: 200, html: true},
			"status_error500":  {code: 500},
			"status_error503":  {code: 503},
			"status_timeout":   {class: "timeout"},
			"status_reset":     {class: "reset"},
		} {
			w.Reset()
			w.mustPay(refA, mtn.Payer(plan))
			time.Sleep(time.Minute)
			for i := range 4 {
				got := classify(w.RoundTripper().RoundTrip(w.request("GET", "/collection/v1_0/requesttopay/"+refA, "")))
				if i == 3 {
					want = outcome{code: 200}
				}
				if got != want {
					t.Errorf("%s, answer %d: %+v, want %+v", plan, i, got, want)
				}
			}
		}
	})
}

// Zero waits make a payment end before its answer is out.
func TestZeroTimes(t *testing.T) {
	t.Parallel()
	times := mtn.DefaultTimes()
	times.Approve = 0
	w := newWorld(t, mtn.Options{Options: core.Options{Times: times}})
	defer w.Close()
	w.mustPay(refA, ordinary)
	if _, body := w.status(refA); !strings.Contains(body, `"SUCCESSFUL"`) {
		t.Errorf("%s", body)
	}
	if _, err := w.SendCallback(refA, core.Notice{}); err != nil && !errors.Is(err, core.ErrNoURL) {
		t.Error(err)
	}
}
