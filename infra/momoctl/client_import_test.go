package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

var newID = regexp.MustCompile(`cli_[0-9a-f]{20}`)

// An app of the PHP proxy pays with its old key, and verifies with it what it is
// sent. The command shows no key, and repeated it does nothing.
func TestClientImport(t *testing.T) {
	const kiosk, closed = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
	files := map[string]string{
		"csv": "\ufeffid,client_name,api_key,callback_url,is_active,created_at\n1,\"Kiosk, Mbabane\"," + kiosk + ",https://kiosk.example.com/momo?t=1,1,2024-01-01 00:00:00\n" +
			"2,=SUM(A1)," + closed + ",,0,\n3,Shop," + testbed.ShopKey + ",https://shop.example.com/momo,1,\n",
		"mysql": "client_name\tapi_key\tcallback_url\tis_active\nKiosk, Mbabane\t" + kiosk + "\thttps://kiosk.example.com/momo?t=1\t1\n" +
			"=SUM(A1)\t" + closed + "\tNULL\t0\nShop\t" + testbed.ShopKey + "\thttps://shop.example.com/momo\t1\n",
	}
	for name, content := range files {
		file := write(t, "clients", content)
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
				golden(t, "client-import-dry", c.run("client", "import", file))
				golden(t, "client-import-csv", c.run("client", "import", file, "-o", "csv"))
				if a := c.Pay(testbed.Order("ORDER-1", "26876123456"), "X-Proxy-Api-Key", kiosk); a.StatusCode != 401 {
					t.Fatalf("a dry run took it over: %d", a.StatusCode)
				}
				o := c.run("client", "import", file, "--execute")
				o.out = newID.ReplaceAllString(o.out, "cli_00000000000000000000")
				golden(t, "client-import", o)
				made, err := c.Ledger.ClientByKey(t.Context(), kiosk, time.Now())
				if err == nil {
					made, err = c.Ledger.Client(t.Context(), made.ID)
				}
				if err != nil {
					t.Fatal(err)
				}
				c.App.Add(made.CallbackURL, kiosk, made.SigningSecrets[0])
				if a := c.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess)), "X-Proxy-Api-Key", kiosk); a.StatusCode != 202 {
					t.Errorf("%d %s", a.StatusCode, a.Body)
				}
				c.Pass(time.Minute)
				if got := c.App.Got(); len(got) != 1 || got[0].Content.Status != "SUCCESSFUL" { // App has verified both signatures
					t.Errorf("%+v", got)
				}
				if a := c.Pay(testbed.Order("ORDER-1", "26876123456"), "X-Proxy-Api-Key", closed); a.StatusCode != 401 {
					t.Errorf("an inactive app: %d", a.StatusCode)
				}
				again := c.must("client", "import", file, "--execute")
				if n := len(newID.FindAllString(again, -1)); n != 2 || strings.Contains(again, "made") || !strings.Contains(again, "cli_shop") {
					t.Errorf("%s", again)
				}
				for _, key := range []string{kiosk, closed, testbed.ShopKey} {
					if strings.Contains(c.said.String(), key) {
						t.Error("a key was shown")
					}
				}
			})
		})
	}
}

// One line that cannot be taken over, and none is.
func TestClientImportRefuses(t *testing.T) {
	const heads, key = "client_name,api_key,callback_url,is_active\n", "0123456789abcdef0123456789abcdef"
	good := "Good," + strings.Repeat("9", 32) + ",https://good.example.com/,1\n"
	cases := map[string]string{
		"is_active":     "Kiosk," + key + ",,maybe\n",
		"client_name":   "," + key + ",,1\n",
		"be guessed":    "Kiosk,APP_CHANGE_THIS,,1\n",
		"no request":    "Kiosk," + key + " x,,1\n",
		"callback_url:": "Kiosk," + key + ",http://kiosk.example.com/,1\n",
		"key of line 3": "Kiosk," + key + ",,1\nBar," + key + ",,1\n",
	}
	files := map[string]string{}
	for says, lines := range cases {
		files[says] = write(t, "clients", heads+good+lines)
	}
	unread := map[string]string{"no column": write(t, "clients", "client_name,api_key\n"), "wrong number of fields": write(t, "clients", heads+"a,b\n"), "EOF": write(t, "clients", "")}
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for says, file := range files {
			if o := c.run("client", "import", file, "--execute"); o.code != exitRefused || !strings.Contains(o.out, says) || !strings.Contains(o.err, "nothing was done") {
				t.Errorf("%s: %+v", says, o)
			}
		}
		for says, file := range unread {
			if o := c.run("client", "import", file); o.code != exitFailed || !strings.Contains(o.err, says) {
				t.Errorf("%s: %+v", says, o)
			}
		}
		if a := c.Pay(testbed.Order("ORDER-1", "26876123456"), "X-Proxy-Api-Key", strings.Repeat("9", 32)); a.StatusCode != 401 {
			t.Errorf("the good line was taken over: %d", a.StatusCode)
		}
	})
}
