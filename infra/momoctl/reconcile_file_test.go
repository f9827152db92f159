package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

const testMapping = `{"columns": {"reference": "External Id", "transactionId": "Id", "amount": "Amount", "currency": "Currency", "at": "Date", "status": "Status", "type": "Type"},
 "payment": ["Debit"], "refund": ["Refund"], "paid": ["Successful"], "notPaid": ["Failed"], "ignore": ["Total"]}`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// statementOf is a file of lines: status, type, reference, transaction id, amount.
func statementOf(t *testing.T, at time.Time, lines ...string) string {
	text := "A report,of something\nStatus,Type,External Id,Id,Amount,Currency,Date\n"
	for _, line := range lines {
		text += line + ",SZL," + at.UTC().Format(time.DateTime) + "\n"
	}
	return write(t, "file.csv", text)
}

// reconciled is what momoctl says about a file: kinds by reference.
func (c *console) reconciled(code int, args ...string) (v reconcileView, kinds map[string]string) {
	c.t.Helper()
	o := c.run(append([]string{"reconcile-file", "--provider", "mtn", "--json", "--since", "1999-12-31", "--until", "2000-03-01"}, args...)...)
	if o.code != code {
		c.t.Fatalf("exit %d, want %d: %s%s", o.code, code, o.out, o.err)
	}
	if err := json.Unmarshal([]byte(o.out), &v); err != nil {
		c.t.Fatal(err)
	}
	kinds = map[string]string{}
	for _, d := range v.Differences {
		kinds[d.Reference] = string(d.Kind)
		if d.Corrected {
			kinds[d.Reference] += " corrected"
		}
	}
	return v, kinds
}

type noCallbacks struct{}

func (noCallbacks) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route")
}

// timesOfDay differ from run to run: the schedule asks about payments side by
// side, in any order.
var timesOfDay = regexp.MustCompile(`T\d\d:\d\d:\d\d(\.\d+)?Z`)

// One of everything: what is in the file alone, in the ledger alone, announced
// wrongly or not at all. --apply believes the provider, never the file.
func TestReconcileFile(t *testing.T) {
	mapping := write(t, "mapping.json", testMapping)
	// Every callback is lost: the reconciler alone learns of endings.
	silent := testbed.Options{Sandbox: func(o *mtnstand.Options) { o.HTTPClient = &http.Client{Transport: noCallbacks{}} }}
	bubble(t, silent, func(t *testing.T, c *console) {
		start := time.Now()
		c.App.Answer(func(_ int, r testbed.Received) webhook.Result {
			if r.Content.ExternalID == "UNTOLD" {
				return webhook.Result{Code: 503}
			}
			return webhook.Result{Code: 200}
		})
		timedOut := c.pay("TIMED-OUT", "late_success")
		agreed, twice := c.pay("AGREED", mtnstand.ScriptSuccess), c.pay("TWICE", mtnstand.ScriptSuccess)
		failed, failedBoth := c.pay("FAILED", "failed_expired"), c.pay("FAILED-BOTH", "failed_expired")
		held := c.held("HELD")
		amount, notThere, alone := c.pay("AMOUNT", mtnstand.ScriptSuccess), c.pay("NOT-THERE", mtnstand.ScriptSuccess), c.pay("=ALONE()", mtnstand.ScriptSuccess)
		refunded := c.pay("REFUNDED", mtnstand.ScriptSuccess)
		untold := c.pay("UNTOLD", mtnstand.ScriptSuccess)
		c.Pass(25 * time.Hour)
		if p := c.Payment(timedOut); p.Status != payment.Timeout {
			t.Fatalf("it is %s", p.Status)
		}
		time.Sleep(2 * time.Hour) // MTN has the money; nobody asks
		open := c.Pay(testbed.Order("OPEN", mtnstand.Payer(mtnstand.ScriptPending))).Reference()
		byID := c.Payment(agreed).FinancialTransactionID

		file := statementOf(t, start, "Successful,Debit,"+timedOut+",,150.00", "Successful,Debit,=1+1,"+byID+",150.0", "Failed,Debit,"+twice+",0,150.00", "Successful,Debit,"+twice+",1,150.00", "Successful,Debit,"+twice+",2,150.00",
			"Successful,Debit,"+failed+",,150.00", "Failed,Debit,"+failedBoth+",,150.00", "Failed,Debit,"+open+",,150.00", "Successful,Debit,"+held+",,150.00",
			"Successful,Debit,"+amount+",,149.00", "Failed,Debit,"+notThere+",,150.00", "Successful,Debit,"+refunded+",,150.00", "Successful,Refund,"+refunded+",,50.00",
			"Successful,Debit,"+untold+",,150.00", "Successful,Debit,"+unknownReference+",777,99.00", "Failed,Debit,"+strings.Replace(unknownReference, "3", "4", 1)+",778,99.00",
			"Reversed,Debit,=cmd,,150.00", "Total,,,,1500.00")
		v, kinds := c.reconciled(exitFailed, "--mapping", mapping, file)
		want := map[string]string{
			unknownReference: "not_in_ledger", timedOut: "paid_there_timed_out_here", failed: "paid_there_failed_here", twice: "paid_twice_there", held: "paid_there_open_here",
			amount: "amount_differs", notThere: "paid_here_failed_there", alone: "in_ledger_not_in_file", refunded: "refund_not_in_ledger", untold: "app_not_told",
			open: "failed_there_open_here", "=cmd": "unreadable_row",
		}
		if d := cmp.Diff(want, kinds); d != "" {
			t.Error(d)
		}
		if v.Rows != 17 || v.Ignored != 1 || v.Agree != 6 || v.Remaining != 12 || v.Differences[0].Kind != notInLedger || v.Differences[1].Kind != paidButTimedOut {
			t.Errorf("%+v", v)
		}
		if p := c.Payment(timedOut); p.Status != payment.Timeout {
			t.Errorf("without --apply it is %s", p.Status)
		}
		plain := []string{"reconcile-file", "--provider", "mtn", "--mapping", mapping, "--since", "1999-12-31", "--until", "2000-03-01", file}
		for name, args := range map[string][]string{"reconcile-file": plain, "reconcile-file-csv": append(plain, "-o", "csv"), "reconcile-file-json": append(plain, "--json")} {
			o := c.run(args...)
			o.out = timesOfDay.ReplaceAllString(o.out, "T00:00:00Z")
			golden(t, name, o)
		}

		time.Sleep(time.Hour) // since it was last asked
		_, kinds = c.reconciled(exitFailed, "--mapping", mapping, "--apply", file)
		want[timedOut] += " corrected"
		if d := cmp.Diff(want, kinds); d != "" {
			t.Error(d)
		}
		for reference, status := range map[string]payment.Status{timedOut: payment.Successful, failed: payment.Failed, open: payment.Pending, held: payment.Pending, notThere: payment.Successful} {
			if p := c.Payment(reference); p.Status != status {
				t.Errorf("%s is %s, want %s", p.ExternalID, p.Status, status)
			}
		}
	})
}

// The app confirmed another ending, and the correction has not reached it yet.
func TestReconcileToldOtherwise(t *testing.T) {
	mapping := write(t, "mapping.json", testMapping)
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("CORRECTED", "late_success")
		c.Pass(25 * time.Hour)
		time.Sleep(3 * time.Hour)
		c.must("payment", "check", reference)
		file := statementOf(t, time.Now(), "Successful,Debit,"+reference+",,150.00")
		if v, kinds := c.reconciled(exitFailed, "--mapping", mapping, file); kinds[reference] != "app_told_otherwise" || v.Differences[0].Told != "payment.timeout" {
			t.Errorf("%+v", v)
		}
		c.Pass(time.Minute)
		if v, _ := c.reconciled(exitOK, "--mapping", mapping, file); v.Agree != 1 || len(v.Differences) != 0 {
			t.Errorf("%+v", v)
		}
	})
}

// The reports of a provider whose columns are built in.
func TestReconcileBuiltIn(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		a := c.Pay(`{"provider":"momentpay","amount":"150.00","externalId":"ORDER-1"}`)
		if a.StatusCode != 202 {
			t.Fatal(a.Body)
		}
		for _, heads := range []string{
			"transaction_type,transaction_timestamp,reconciliation_id,merchant_reference_id,payment_method,customer_reference,country,presentment_currency,presentment_amount",
			"Transaction Type,Transaction Timestamp,Moment Transaction ID,Merchant Reference ID,Payment Method,Customer Reference,Country,Presentment Currency,Presentment Amount",
		} {
			file := write(t, "recon.csv", "Moment Merchant Reconciliation Report\nVersion,1.0\nMerchant,shop\nFrom,2000-01-01\nTo,2000-01-02\n"+heads+
				"\nPayment,2000-01-01T00:00:10Z,673bbe2805368010f36e9bee,"+a.Reference()+",Capitec Pay,,ZA,ZAR,150.00\n")
			o := c.run("reconcile-file", "--provider", "momentpay", "--json", file)
			if o.code != exitFailed || !strings.Contains(o.out, `"kind": "paid_there_open_here"`) || !strings.Contains(o.out, a.Reference()) || !strings.Contains(o.out, "673bbe2805368010f36e9bee") {
				t.Errorf("%+v", o)
			}
		}
	})
}

func TestReconcileFileUsage(t *testing.T) {
	mapping, file := write(t, "mapping.json", testMapping), write(t, "file.csv", "Status,Type,External Id,Id,Amount,Currency,Date\n")
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for _, args := range []string{
			"--provider nobody " + file, "--provider mtn " + file, "--provider mtn --mapping " + mapping + " " + file,
			"--provider mtn --mapping " + mapping, "--provider mtn --mapping " + mapping + " --since yesterday " + file,
		} {
			if o := c.run(append([]string{"reconcile-file"}, strings.Fields(args)...)...); o.code != exitUsage || o.out != "" {
				t.Errorf("%s: %+v", args, o)
			}
		}
		for _, args := range []string{"--provider mtn --mapping " + file + " " + file, "--provider mtn --mapping " + mapping + " " + mapping, "--provider mtn --mapping " + mapping + " nowhere.csv"} {
			if o := c.run(append([]string{"reconcile-file"}, strings.Fields(args)...)...); o.code != exitFailed || o.out != "" {
				t.Errorf("%s: %+v", args, o)
			}
		}
	})
}
