package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"momoproxy"
	"momoproxy/infra/receiver"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/config"
)

// curl is one command of testdata/contract.curl as the request that curl
// would send.
type curl struct {
	method, url, body string
	header            http.Header
}

// readCurl reads the command under a name, with its variables filled in. It
// knows the few options used there and fails on any other.
func readCurl(t *testing.T, name string, variables map[string]string) curl {
	t.Helper()
	source, err := os.ReadFile("testdata/contract.curl")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(source), "\n["+name+"]\n")
	if !ok {
		t.Fatalf("no command is named %q", name)
	}
	text, _, _ = strings.Cut(text, "\n[")
	text = os.Expand(text, func(variable string) string { return variables[variable] })
	words := shellWords(t, text)
	if len(words) == 0 || words[0] != "curl" {
		t.Fatalf("%s: %q", name, words)
	}
	c := curl{method: http.MethodGet, header: http.Header{"User-Agent": {"curl/8.14.1"}, "Accept": {"*/*"}}}
	for words = words[1:]; len(words) > 0; words = words[1:] {
		option := words[0]
		if strings.HasPrefix(option, "http://") {
			c.url = option
			continue
		}
		if option == "-s" || option == "-i" {
			continue
		}
		if words = words[1:]; len(words) == 0 {
			t.Fatalf("%s: %s lacks its value", name, option)
		}
		switch option {
		case "-X":
			c.method = words[0]
		case "-H":
			header, content, _ := strings.Cut(words[0], ": ")
			c.header.Set(header, content)
		case "-d":
			c.body = words[0]
		case "-w": // what curl writes out
		default:
			t.Fatalf("%s: %s is not known here", name, option)
		}
	}
	return c
}

// shellWords splits as a shell does: spaces, line continuations and quotes.
func shellWords(t *testing.T, text string) []string {
	t.Helper()
	var words []string
	word, inWord, quote := "", false, rune(0)
	for _, r := range strings.ReplaceAll(text, "\\\n", " ") {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\n' || r == '\t':
			if inWord {
				words = append(words, word)
			}
			word, inWord = "", false
		default:
			word, inWord = word+string(r), true
		}
	}
	if quote != 0 {
		t.Fatalf("unclosed quote in %s", text)
	}
	if inWord {
		words = append(words, word)
	}
	return words
}

func (c curl) run(t *testing.T) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = c.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s %s: %d %s", c.method, c.url, resp.StatusCode, text)
	}
	return resp.StatusCode, body
}

// up starts the whole system in this process, in memory, until the test ends.
func up(t *testing.T, change func(*options)) *system {
	t.Helper()
	o := options{listen: "127.0.0.1:0", data: ":memory:", policy: config.Confirm, template: momoproxy.Template, name: "unused"}
	if change != nil {
		change(&o)
	}
	s, err := start(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// hear waits for the demo app's verified callback about a payment.
func (s *system) hear(t *testing.T, reference string) receiver.Attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		select {
		case c := <-s.app.arrived:
			if c.ReferenceID == reference {
				return c
			}
		case <-ctx.Done():
			t.Fatalf("no callback about %s", reference)
		}
	}
}

func TestContractUnderConfirm(t *testing.T) {
	t.Parallel()
	s := up(t, nil)
	for _, name := range []string{"request to pay", "request to pay, from a script", "request to pay, from a client library"} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{
				"PROXY_BASE": s.gatewayURL, "API_KEY": demoKey, "ORDER": "ORDER " + name, "PAYER": mtnstand.Payer(mtnstand.ScriptSuccess),
			}
			code, body := readCurl(t, name, variables).run(t)
			reference, _ := body["referenceId"].(string)
			if code != 202 || body["status"] != "PENDING" || reference == "" {
				t.Fatalf("%d %v", code, body)
			}
			if c := s.hear(t, reference); c.Status != "SUCCESSFUL" || c.ExternalID != variables["ORDER"] || c.FinancialTransactionID == "" {
				t.Errorf("callback %+v", c)
			}
			variables["REF"] = reference
			code, body = readCurl(t, "status", variables).run(t)
			if code != 200 || body["status"] != "SUCCESSFUL" || body["externalId"] != variables["ORDER"] {
				t.Errorf("%d %v", code, body)
			}
			// The StatusResponse of the contract, field by field.
			for _, field := range []string{"referenceId", "externalId", "status", "amount", "currency", "payer", "financialTxId", "failureReason", "callbackForwarded", "createdAt", "updatedAt"} {
				if _, ok := body[field]; !ok {
					t.Errorf("status lacks %s", field)
				}
			}
			if amount, ok := body["amount"].(float64); !ok || amount <= 0 || body["currency"] != "SZL" || body["payer"] != variables["PAYER"] {
				t.Errorf("amount %v, currency %v, payer %v", body["amount"], body["currency"], body["payer"])
			}
		})
	}
}

// A callback made by hand is a hint only: the provider is asked, and says
// that the payment is still open.
func TestSimulatedCallbackUnderConfirm(t *testing.T) {
	t.Parallel()
	s := up(t, nil)
	variables := map[string]string{"PROXY_BASE": s.gatewayURL, "API_KEY": demoKey, "ORDER": "ORDER-1234", "PAYER": mtnstand.Payer(mtnstand.ScriptPending)}
	_, body := readCurl(t, "request to pay", variables).run(t)
	variables["REF"], _ = body["referenceId"].(string)
	if code, body := readCurl(t, "simulated callback", variables).run(t); code != 200 || body["received"] != true {
		t.Errorf("%d %v", code, body)
	}
	if code, body := readCurl(t, "status", variables).run(t); code != 200 || body["status"] != "PENDING" || body["financialTxId"] != nil {
		t.Errorf("%d %v", code, body)
	}
}

// Under trust it is believed, by the app's order or by our reference.
func TestSimulatedCallbackUnderTrust(t *testing.T) {
	t.Parallel()
	s := up(t, func(o *options) { o.policy = config.Trust })
	for _, by := range []string{"externalId", "referenceId"} {
		variables := map[string]string{"PROXY_BASE": s.gatewayURL, "API_KEY": demoKey, "ORDER": "ORDER-BY-" + by, "PAYER": mtnstand.Payer(mtnstand.ScriptPending)}
		_, body := readCurl(t, "request to pay", variables).run(t)
		variables["REF"], _ = body["referenceId"].(string)
		if by == "referenceId" {
			variables["ORDER"] = variables["REF"] // the script takes either
		}
		if code, body := readCurl(t, "simulated callback", variables).run(t); code != 200 || body["received"] != true {
			t.Errorf("by %s: %d %v", by, code, body)
		}
		if c := s.hear(t, variables["REF"]); c.Status != "SUCCESSFUL" || c.FinancialTransactionID != "FTX-123456" {
			t.Errorf("by %s: callback %+v", by, c)
		}
		if code, body := readCurl(t, "status", variables).run(t); code != 200 || body["status"] != "SUCCESSFUL" || body["financialTxId"] != "FTX-123456" {
			t.Errorf("by %s: %d %v", by, code, body)
		}
	}
}

func TestWrongKeyAndUnknownReference(t *testing.T) {
	t.Parallel()
	s := up(t, nil)
	variables := map[string]string{"PROXY_BASE": s.gatewayURL, "API_KEY": "wrong", "ORDER": "X", "PAYER": "26876123456", "REF": "00000000-0000-4000-8000-000000000000"}
	for name, want := range map[string]int{"request to pay": 401, "status": 401} {
		if code, body := readCurl(t, name, variables).run(t); code != want || body["error"] == nil {
			t.Errorf("%s: %d %v", name, code, body)
		}
	}
	variables["API_KEY"] = demoKey
	if code, body := readCurl(t, "status", variables).run(t); code != 404 || body["error"] == nil {
		t.Errorf("%d %v", code, body)
	}
}
