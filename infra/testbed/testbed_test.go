package testbed_test

import (
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
)

// The testbed itself: one payment to its verified callback, and nothing
// charged twice in the days after.
func TestOnePayment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{})
		a := w.Pay(testbed.Order("ORDER-1", "26876123456"))
		if a.StatusCode != 202 {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		w.Pass(10 * time.Second)
		if s := w.Status(a.Reference()); s != payment.Successful {
			t.Errorf("status %s; log:\n%s", s, w.Log())
		}
		w.Pass(10 * 24 * time.Hour)
		if got := w.App.About(a.Reference()); len(got) != 1 || got[0].Content.Status != "SUCCESSFUL" {
			t.Errorf("the app received %v", got)
		}
		if w.Charged() != 1 {
			t.Errorf("charged %d times", w.Charged())
		}
	})
}
