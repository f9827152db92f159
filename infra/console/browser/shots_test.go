package browser

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
)

var (
	shots = flag.String("shots", "", "folder to write a picture of each page to")
	only  = flag.String("only", "", "with -shots: pictures whose names match this `pattern`")
)

// TestShots pictures each page in light, in dark and on a phone. Without
// -shots it only checks that none is wider than its screen.
func TestShots(t *testing.T) {
	s := start(t)
	paid := s.trigger("payment.successful")
	for _, event := range []string{"payment.failed", "callback.lost", "answer.lost", "payment.held", "callback.repeated", "invoice.created"} {
		s.trigger(event)
	}
	forged := s.trigger("callback.forged")
	waiting := s.pay(order("ORDER-1042"))["referenceId"].(string)
	s.open("#/payments/"+paid, desktop).until("answered 200 on attempt 1")
	s.post("local/app", `{"on":true}`)
	untold := s.trigger("payment.successful")
	s.open("#/payments/"+untold, desktop).until("attempt 2")
	views := map[string]view{
		"light": desktop, "dark": {width: 1280, height: 900, dark: true}, "phone": {width: 390, height: 844, phone: true},
		"phone-dark": {width: 390, height: 844, phone: true, dark: true},
	}
	pages := map[string]string{
		"overview": "#/", "payments": "#/payments", "paid": "#/payments/" + paid, "forged": "#/payments/" + forged, "waiting": "#/payments/" + waiting,
		"untold": "#/payments/" + untold, "callbacks": "#/deliveries", "endpoints": "#/endpoints", "accounts": "#/accounts", "apps": "#/apps",
		"search": "#/search?q=trigger", "settle": "#/payments/" + waiting, "failed": "#/deliveries?state=failed", "try": "#/try", "pay": "#/pay/" + waiting,
	}
	for size, v := range views {
		for name, hash := range pages {
			if matched, _ := regexp.MatchString(*only, name+"-"+size); !matched {
				continue
			}
			p := s.open(hash, v)
			if name == "paid" || name == "forged" {
				p.do(chromedp.Click(".step details summary", chromedp.ByQuery))
			}
			if name == "settle" {
				p.press("Settle…")
			}
			var wide bool
			p.do(chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
			if wide {
				t.Errorf("%s is wider than the screen %s", name, size)
			}
			if *shots != "" {
				var picture []byte
				p.do(chromedp.FullScreenshot(&picture, 100))
				if err := os.WriteFile(filepath.Join(*shots, name+"-"+size+".png"), picture, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
