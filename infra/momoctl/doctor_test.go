package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// TestDoctorFinds injects one fault after the other, and holds what doctor says
// of each: all that it does not say of a healthy system.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	healthy := map[string]bool{}
	for _, f := range []struct {
		fault string
		make  func(c *clinic)
		args  string
	}{
		{"none", func(*clinic) {}, ""},
		{"the API key is wrong", func(c *clinic) { c.env["MTN_API_KEY"] = "wrong" }, ""},
		{"the subscription key is the sandbox's", func(c *clinic) { c.env["MTN_SUBSCRIPTION_KEY"] = "wrong" }, ""},
		{"MTN cannot be reached", func(c *clinic) { c.unknown = oldHost }, ""},
		{"a firewall answers for a token", func(c *clinic) { c.rule(core.Rule{Route: mtnstand.RouteToken, Fault: core.HTML200Before}) }, ""},
		{"a firewall answers behind the token", func(c *clinic) { c.rule(core.Rule{Route: mtnstand.RouteBalance, Fault: core.HTML200Before}) }, ""},
		{"our address is not on the list", func(c *clinic) { c.rule(core.Rule{Route: mtnstand.RouteBalance, Fault: core.Error403Before}) }, ""},
		{"the request limit is spent", func(c *clinic) { c.rule(core.Rule{Route: mtnstand.RouteBalance, Fault: core.Error429Before}) }, ""},
		{"MTN is out of order", func(c *clinic) { c.rule(core.Rule{Route: mtnstand.RouteBalance, Fault: core.Error503Before}) }, ""},
		{"the account is another country's", func(c *clinic) { c.account.TargetEnvironment = "mtnuganda" }, ""},
		{"the account has another currency", func(c *clinic) { c.account.Currency = "ZAR" }, ""},
		{"an unknown target environment", func(c *clinic) { c.env["MTN_TARGET_ENV"] = "mtneswatini" }, ""},
		{"the sandbox's environment at production's host", func(c *clinic) { c.at(oldHost, "sandbox") }, ""},
		{"production's environment at the sandbox's host", func(c *clinic) { c.at(testHost, "mtnswaziland") }, ""},
		{"the old platform's user on the new one", func(c *clinic) {
			c.at(newHost, "mtnswaziland")
			c.env["MTN_API_USER"] = "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
		}, ""},
		{"the new platform's user on the old one", func(c *clinic) { c.env["MTN_API_USER"] = "c3lzdGVtLWNyZWRlbnRpYWw=" }, ""},
		{"another callback host is registered", func(c *clinic) {
			c.at(testHost, "sandbox")
			c.account.CallbackHost = "shop.example.com"
		}, ""},
		{"the account may not ask about holders", func(*clinic) {}, "--payer 46733123452"},
		{"the payer has no wallet", func(*clinic) {}, "--payer 46733123451"},
		{"MTN does not list the certificate's issuer", func(c *clinic) { c.issuer = "Amazon RSA 2048 M04" }, ""},
		{"the certificate has an ECDSA key", func(c *clinic) {
			key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			c.keys.leaf = key
		}, ""},
		{"the certificate has expired", func(c *clinic) { c.ends = time.Now().Add(-time.Hour) }, ""},
		{"the certificate is not renewed", func(c *clinic) { c.ends = time.Now().AddDate(0, 0, 10) }, ""},
		{"the certificate is for another name", func(c *clinic) { c.names = c.names[1:] }, ""},
		{"the callback host has no DNS record", func(c *clinic) { c.unknown = clinicHost }, ""},
		{"there is no public address", func(c *clinic) { delete(c.env, "PUBLIC_BASE_URL") }, ""},
		{"the public address is a number", func(c *clinic) { c.env["PUBLIC_BASE_URL"] = "https://192.0.2.7" }, ""},
		{"the public address is http", func(c *clinic) { c.env["PUBLIC_BASE_URL"] = "http://" + clinicHost }, ""},
		{"the reconciler is silent", func(c *clinic) { c.health = 503 }, ""},
		{"something else answers", func(c *clinic) { c.health = 404 }, ""},
		{"the clock is 2 minutes slow", func(c *clinic) { c.off = -2 * time.Minute }, ""},
		{"the clock is an hour slow", func(c *clinic) { c.off = -time.Hour }, ""},
		{"the circuit is open", func(c *clinic) {
			c.change(func(l *ledger.Ledger) error {
				return l.SaveHealth(t.Context(), ledger.Health{Provider: "mtn", OpenedAt: time.Now(), Apps: []ledger.AppHealth{{ClientID: "cli_shop", Failures: 5}}})
			})
		}, ""},
		{"an account with open payments is gone", func(c *clinic) {
			c.change(func(l *ledger.Ledger) error {
				_, err := l.Create(t.Context(), ledger.Payment{Payment: payment.Payment{Reference: "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", ClientID: "cli_shop", ExternalID: "ORDER-1",
					Provider: "mtn", Account: "mtn-gone", Payer: "26876123456", Amount: payment.Money{Minor: 100, Currency: "SZL"}, Status: payment.Pending,
					CreatedAt: time.Now(), UpdatedAt: time.Now(), NextCheckAt: time.Now()}})
				return err
			})
		}, ""},
		{"a setting is missing", func(c *clinic) { delete(c.env, "MTN_API_KEY") }, ""},
		{"there is no store", func(c *clinic) { c.dir = filepath.Join(c.dir, "mistyped") }, ""},
		{"Mom Factura refuses the key, in test mode", func(c *clinic) {
			c.with("mom-factura", "api.momenu.online")
			c.env["MOMFACTURA_API_KEY"] = "wrong"
		}, "--account mom-factura"},
		{"Mom Factura without the pay-out it asks for", func(c *clinic) {
			c.with("mom-factura", "api.momenu.online")
			c.env["MOMFACTURA_INSTANT_WITHDRAW"] = "false"
		}, "--account mom-factura"},
		{"MomentPay refuses the key", func(c *clinic) {
			c.with("momentpay", "api.momentpay.net")
			c.env["MOMENTPAY_SECRET_KEY"] = "sk_wrong"
		}, "--account momentpay"},
	} {
		c := newClinic(t)
		f.make(c)
		o := c.run(append(strings.Fields(f.args), "--json")...)
		var v doctorView
		if err := json.Unmarshal([]byte(o.out), &v); err != nil {
			t.Fatalf("%s: %v: %+v", f.fault, err, o)
		}
		if (o.code == exitRefused) != (v.Faults > 0) || o.code != exitOK && o.code != exitRefused {
			t.Errorf("%s: exit %d with %d faults: %s", f.fault, o.code, v.Faults, o.err)
		}
		fmt.Fprintf(&said, "\n## %s: exit %d\n", f.fault, o.code)
		n := 0
		findings := v.System
		for _, a := range v.Accounts {
			findings = append(findings, a.Findings...)
		}
		tell := &text{}
		for _, finding := range findings {
			finding.Found = dates.ReplaceAllString(strings.ReplaceAll(finding.Found, c.dir, "DIR"), "DATE")
			if key := fmt.Sprint(finding); f.fault == "none" {
				healthy[key] = true
			} else if healthy[key] || finding.State == provider.Fine {
				continue
			}
			if finding.State != provider.Fine && finding.Next == "" {
				t.Errorf("%s: %s has no next step", f.fault, finding.Check)
			}
			n++
			describeFindings(tell, []provider.Finding{finding})
		}
		if n == 0 {
			t.Errorf("%s: it says nothing", f.fault)
		}
		said.WriteString(tell.b.String())
		if f.fault == "none" && o.code != exitOK {
			t.Errorf("a healthy system: %+v", o)
		}
	}
	golden(t, "doctor-faults", outcome{out: said.String()})
}

var (
	dates = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)
	paths = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|/tmp/[^ \n]*\.md`)
)

// TestDoctorOfAStack does the same with what only a deployed stack has.
func TestDoctorOfAStack(t *testing.T) {
	var said strings.Builder
	for _, f := range []struct {
		fault string
		make  func(*fakeAWS)
	}{
		{"none", func(*fakeAWS) {}},
		{"the subscription is not confirmed", func(f *fakeAWS) { f.subscribed = []string{"PendingConfirmation"} }},
		{"nobody is subscribed", func(f *fakeAWS) { f.subscribed = nil }},
		{"the stack has no topics", func(f *fakeAWS) { delete(f.outputs, "PageTopicArn") }},
		{"no outgoing address is fixed", func(f *fakeAWS) { f.subnets = "" }},
		{"the subnets have no way out", func(f *fakeAWS) { f.address = `{"errorMessage":"dial tcp: i/o timeout","errorType":"Error"}` }},
		{"unsigned callbacks are believed", func(f *fakeAWS) { f.parameters["CallbackPolicy"] = "trust" }},
		{"nothing is protected", func(f *fakeAWS) { f.parameters["DeletionProtection"], f.protected = "false", false }},
		{"log lines are gone in a week", func(f *fakeAWS) { f.parameters["LogRetentionDays"] = "7" }},
	} {
		fake := newAWS(t, map[string]string{"PageTopicArn": "arn:aws:sns:us-east-1:123456789012:page", "TicketTopicArn": "arn:aws:sns:us-east-1:123456789012:ticket"})
		for _, output := range outputVariables {
			fake.outputs[output] = "x"
		}
		fake.parameters = map[string]string{"CallbackPolicy": "confirm", "DeletionProtection": "true", "LogLevel": "INFO", "LogRetentionDays": "30"}
		fake.protected, fake.subscribed = true, []string{"arn:aws:sns:us-east-1:123456789012:page:1"}
		fake.subnets, fake.address = `"subnet-1"`, `{"address":"203.0.113.7"}`
		f.make(fake)
		for name, value := range map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CA_BUNDLE": ""} {
			t.Setenv(name, value)
		}
		s, err := openStack(t.Context(), options{stack: "shop-stack"})
		if err != nil {
			t.Fatal(err)
		}
		p, tell := &patient{session: &session{store: store{stack: &s}}}, &text{}
		for _, look := range []check{outgoingAddress, alarmTopics, parameters} {
			for _, finding := range look(t.Context(), p) {
				if f.fault == "none" || finding.State != provider.Fine || finding.Check == "outgoing_address" && !p.Fixed {
					describeFindings(tell, []provider.Finding{finding})
				}
			}
		}
		fmt.Fprintf(&said, "\n## %s\n%s", f.fault, tell.b.String())
	}
	golden(t, "doctor-stack-faults", outcome{out: said.String()})
}
