package mtn_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// disburse logs into the disbursement product.
func (w *world) disburse() {
	w.t.Helper()
	_, body := w.do(w.request("POST", "/disbursement/token/", "", basic(userID, userKey)))
	if !strings.HasPrefix(body, `{"access_token":"`) {
		w.t.Fatalf("token: %s", body)
	}
	w.token = strings.Split(body, `"`)[3]
}

func (w *world) payOut(reference, path, body string) (int, string) {
	w.t.Helper()
	return w.do(w.request("POST", path, body, header("X-Reference-Id", reference), header("X-Callback-Url", callbacks)))
}

func transferTo(payee string) string {
	return fmt.Sprintf(`{"amount":"12.50","currency":"SZL","externalId":"PAYOUT-1","payee":{"partyIdType":"MSISDN","partyId":%q},"payerMessage":"m","payeeNote":"n"}`, payee)
}

func refundOf(original, amount string) string {
	return fmt.Sprintf(`{"amount":%q,"currency":"SZL","externalId":"REFUND-1","payerMessage":"m","payeeNote":"n","referenceIdToRefund":%q}`, amount, original)
}

// What MTN's testing page lists for transfers and refunds: the answer to the
// request, and the state an hour later.
func TestPayouts(t *testing.T) {
	t.Parallel()
	transfers := map[string]string{
		"450": "202 FAILED INTERNAL_PROCESSING_ERROR", "451": "202 FAILED APPROVAL_REJECTED", "452": "202 FAILED EXPIRED", "453": "202 PENDING",
		"454": "202 SUCCESSFUL", "455": "202 FAILED NOT_ENOUGH_FUNDS", "456": "202 FAILED PAYER_LIMIT_REACHED", "457": "500 PAYEE_NOT_FOUND",
		"458": "500 NOT_ALLOWED", "459": "500 NOT_ALLOWED_TARGET_ENVIRONMENT", "460": "500 INVALID_CALLBACK_URL_HOST", "461": "500 INVALID_CURRENCY",
		"462": "500 INTERNAL_PROCESSING_ERROR", "463": "503 SERVICE_UNAVAILABLE", "464": "500 TRANSFER_TYPE_UNKNOWN", "999": "202 SUCCESSFUL",
	}
	refunds := map[string]string{
		"1": "404 RESOURCE_NOT_FOUND", "2": "202 FAILED INTERNAL_PROCESSING_ERROR", "3": "202 FAILED APPROVAL_REJECTED", "4": "202 FAILED EXPIRED",
		"5": "202 PENDING", "6": "202 SUCCESSFUL", "7": "500 NOT_ALLOWED", "8": "500 NOT_ALLOWED_TARGET_ENVIRONMENT", "9": "500 INVALID_CALLBACK_URL_HOST",
		"10": "500 INVALID_CURRENCY", "11": "500 INTERNAL_PROCESSING_ERROR", "12": "503 SERVICE_UNAVAILABLE", "13": "202 FAILED COULD_NOT_PERFORM_TRANSACTION",
		refB: "404 RESOURCE_NOT_FOUND", // nobody has paid that
	}
	run := func(path, body, want string) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, mtn.Options{TokenLife: 24 * time.Hour})
			defer w.Close()
			w.disburse()
			code, answer := w.payOut(refA, "/disbursement/v1_0/"+path, body)
			got := fmt.Sprint(code)
			if code == 202 {
				time.Sleep(time.Hour)
				_, status := w.do(w.request("GET", "/disbursement/v1_0/"+path+"/"+refA, ""))
				got = strings.TrimSpace(fmt.Sprint(code, " ", field(status, "status"), " ", field(status, "reason")))
				if again, _ := w.payOut(refA, "/disbursement/v1_0/"+path, body); again != 409 {
					t.Errorf("%s: the same reference again: %d", body, again)
				}
			} else {
				got += " " + field(answer, "code")
			}
			if got != want {
				t.Errorf("%s: %s, want %s", body, got, want)
			}
			if e := w.entry(refA); (len(w.Payouts()) == 1) != strings.HasSuffix(want, "SUCCESSFUL") || len(w.Charges()) > 0 {
				t.Errorf("%s: %+v", body, e)
			}
		})
	}
	for payee, want := range transfers {
		run("transfer", transferTo("46733123"+payee), want)
	}
	for original, want := range refunds {
		run("refund", refundOf(original, "1"), want)
	}
}

// field cuts a text out of an answer; empty: it has none.
func field(body, name string) string {
	_, rest, _ := strings.Cut(body, `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// Refunds of a payment: never more than was paid, one by one, and as rules say.
func TestRefundsOfAPayment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, ordinary) // 150
		w.disburse()
		reference := func(n int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", n) }
		refund := func(n int, version, amount string) string {
			code, body := w.payOut(reference(n), "/disbursement/"+version+"/refund", refundOf(refA, amount))
			if code != 202 {
				return fmt.Sprint(code, " ", field(body, "code"))
			}
			time.Sleep(time.Minute)
			e, _ := w.Payment(reference(n))
			return strings.TrimSpace(e.Status + " " + e.Reason)
		}
		early := refund(1, "v1_0", "50.00") // judged when it is asked for: not paid yet
		if err := w.AddRule(core.Rule{Route: mtn.RouteRefund, Match: core.Match{Reference: refA, Amount: "7"}, Outcome: core.Decline}); err != nil {
			t.Fatal(err)
		}
		got := []string{early, refund(2, "v1_0", "100.00"), refund(3, "v2_0", "50.00"), refund(4, "v1_0", "0.01"), refund(5, "v1_0", "7")}
		want := []string{"FAILED COULD_NOT_PERFORM_TRANSACTION", "SUCCESSFUL", "SUCCESSFUL", "FAILED COULD_NOT_PERFORM_TRANSACTION", "FAILED APPROVAL_REJECTED"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		_, status := w.do(w.request("GET", "/disbursement/v1_0/refund/"+reference(3), ""))
		if !strings.Contains(status, `"payee":{"partyIdType":"MSISDN","partyId":"`+ordinary+`"}`) || !strings.Contains(status, `"amount":"50"`) {
			t.Errorf("status %s", status)
		}
		var methods []string
		for _, c := range w.inbox.all() {
			methods = append(methods, c.Method)
		}
		if diff := cmp.Diff([]string{"POST", "POST", "POST", "PUT", "POST", "POST"}, methods); diff != "" {
			t.Errorf("callbacks of the payment and its refunds (-want +got)\n%s", diff)
		}
		if _, body := w.do(w.request("GET", "/disbursement/v1_0/account/balance", "")); field(body, "availableBalance") != "999850.00" {
			t.Errorf("balance %s", body)
		}
	})
}

// A product's key and token are good for that product.
func TestProductsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	defer w.Close()
	if _, err := w.Provision(mtn.Account{APIUser: refB, APIKey: userKey, SubscriptionKey: "collection-key", DisbursementKey: "disbursement-key", TargetEnvironment: "mtnswaziland"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, key string
		code      int
	}{
		{"/collection/token/", "collection-key", 200}, {"/disbursement/token/", "disbursement-key", 200},
		{"/collection/token/", "disbursement-key", 401}, {"/disbursement/token/", "collection-key", 401},
	} {
		if code, body := w.do(w.request("POST", c.path, "", basic(refB, userKey), header("Ocp-Apim-Subscription-Key", c.key))); code != c.code {
			t.Errorf("%s with %s: %d %s", c.path, c.key, code, body)
		}
	}
	if code, _ := w.payOut(refA, "/disbursement/v1_0/transfer", transferTo(ordinary)); code != 401 {
		t.Errorf("with a collection token: %d", code)
	}
}

// What SDKs ask beside payments.
func TestHolderAndNotification(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{TokenLife: 1000 * time.Hour})
		defer w.Close()
		w.mustPay(refA, ordinary)
		notify := func(reference, body string, change ...func(*http.Request)) int {
			code, _ := w.do(w.request("POST", "/collection/v1_0/requesttopay/"+reference+"/deliverynotification", body, change...))
			return code
		}
		got := []int{notify(refA, `{"notificationMessage":"thanks"}`)}
		time.Sleep(time.Minute)
		got = append(got, notify(refA, `{"notificationMessage":"thanks"}`), notify(refA, `{}`, header("notificationMessage", "thanks")),
			notify(refA, `{"notificationMessage":"`+strings.Repeat("x", 161)+`"}`), notify(refB, `{"notificationMessage":"thanks"}`))
		time.Sleep(25 * time.Hour)
		got = append(got, notify(refA, `{"notificationMessage":"thanks"}`))
		if diff := cmp.Diff([]int{409, 200, 200, 400, 404, 410}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		code, body := w.do(w.request("GET", "/collection/v1_0/accountholder/msisdn/26876123456/basicuserinfo", ""))
		if code != 200 || field(body, "given_name") == "" || field(body, "status") != "ACTIVE" {
			t.Errorf("%d %s", code, body)
		}
		if code, _ := w.do(w.request("GET", "/collection/v1_0/accountholder/msisdn/46733123450/basicuserinfo", "")); code != 404 {
			t.Errorf("nobody: %d", code)
		}
	})
}
