package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/payment"
)

// The lanes of a payment's picture.
const (
	laneApp      = "app"
	laneProxy    = "proxy"
	laneProvider = "provider"
	lanePayer    = "payer"
)

// Step is one arrow of the picture, or a mark on a lane where From is To.
type Step struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Text   string    `json:"text"`
	Result string    `json:"result,omitempty"` // as "202"
	Tone   string    `json:"tone,omitempty"`   // good, bad, warn
	Note   string    `json:"note,omitempty"`
	// Inferred: the proxy received no message; it follows from other messages.
	Inferred bool `json:"inferred,omitempty"`
	// Times counts alike questions that are folded into this one; Until is
	// the time of the last.
	Times int       `json:"times,omitempty"`
	Until time.Time `json:"until,omitzero"`

	TookMs  int64  `json:"tookMs,omitempty"`
	Method  string `json:"method,omitempty"`
	URL     string `json:"url,omitempty"`
	Request string `json:"request,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Said    string `json:"said,omitempty"` // what the log keeps of an answer in place of its body
	Curl    string `json:"curl,omitempty"`

	same string // what is alike when polls are folded
}

// lanes draws a payment: every exchange in the order of time, polls with the
// same answer folded. Payers' numbers are masked unless shown.
func lanes(s Story, gatewayURL string, shown bool) []Step {
	p := s.Payment
	mask := p.masked
	if shown {
		mask = func(text string) string { return text }
	}
	var all []Step
	for i, x := range s.Exchanges {
		if x.From == laneProxy && x.To == laneApp && x.Method == http.MethodPost {
			continue // the attempt shows it
		}
		step := exchangeStep(p, x)
		step.ID = fmt.Sprintf("x%d-%d", x.At.UnixMilli(), i)
		step.Request, step.Answer, step.URL = mask(x.Request), mask(x.Answer), mask(x.URL)
		if x.From == laneApp && x.Method != "OPERATOR" {
			step.Curl = curl(gatewayURL, x.Method, step.URL, step.Request)
		}
		all = append(all, step)
	}
	for _, a := range s.Attempts {
		i := slices.IndexFunc(s.Deliveries, func(d Delivery) bool { return d.Sequence == a.Sequence })
		if i < 0 {
			continue
		}
		all = append(all, attemptStep(s.Deliveries[i], a, mask))
	}
	all = append(all, payerSteps(s)...)
	if !p.Open() {
		all = append(all, Step{
			ID: "end", At: p.EndedAt, From: laneProxy, To: laneProxy, Text: endText(p), Tone: toneOf(p.Status), Result: p.Status,
		})
	}
	slices.SortStableFunc(all, func(a, b Step) int {
		if c := a.At.Truncate(time.Millisecond).Compare(b.At.Truncate(time.Millisecond)); c != 0 {
			return c
		}
		return a.rank() - b.rank()
	})
	return fold(all)
}

// rank orders what happened in the same millisecond.
func (s Step) rank() int {
	return slices.Index([]string{
		"app>proxy", "proxy>provider POST", "provider>payer", "payer>provider", "provider>proxy", "proxy>provider GET", "proxy>proxy", "proxy>app",
	}, s.way())
}

func (s Step) way() string {
	way := s.From + ">" + s.To
	if way == "proxy>provider" {
		way += " " + s.Method
	}
	return way
}

func exchangeStep(p Payment, x Exchange) Step {
	s := Step{
		At: x.At, From: x.From, To: x.To, Method: x.Method, Note: x.Note, TookMs: x.Took.Milliseconds(), Result: result(x.Code), Tone: toneOfCode(x.Code),
	}
	switch {
	case x.Method == "OPERATOR":
		s.From, s.To, s.Result, s.Tone = laneProxy, laneProxy, "", "warn"
		s.Text = "An operator: " + x.URL
	case x.From == laneApp:
		s.Text = "App: " + x.Method + " " + shortPath(x.URL)
		if strings.HasSuffix(x.URL, "/request-to-pay") {
			s.Text = p.AppName + " asks for " + p.Amount
		}
	case x.From == laneProxy && x.Method == http.MethodGet:
		s.Text = "What is its status?"
		if word := statusWord(x.Answer); word != "" {
			s.Result = word
			s.Tone = toneOf(word)
		}
		s.same = s.Result + "|" + x.Note
	case x.From == laneProxy:
		s.Text = p.ProviderName + " is asked for " + p.Amount
	default:
		s.Text, s.Tone = "Callback, a hint", ""
		if x.Unproven {
			s.Text = "Callback that anybody may have sent"
		}
		if word := statusWord(x.Request); word != "" {
			s.Text += ": " + word
			if !p.Open() && toneOf(word) != "" && toneOf(word) != toneOf(p.Status) {
				s.Text, s.Tone = s.Text+", not believed", "warn"
			}
		}
	}
	switch {
	case x.Kind != "":
		s.Said = x.Kind
		s.Result, _, _ = strings.Cut(x.Kind, " ")
		if s.Tone = "bad"; s.Result == "accepted" {
			s.Tone = toneOfCode(202)
		}
	case x.Code == 0 && x.Method != "OPERATOR":
		s.Result, s.Tone = "no answer", "bad"
	}
	return s
}

func attemptStep(d Delivery, a Attempt, mask func(string) string) Step {
	s := Step{
		ID: fmt.Sprintf("a%d-%d", a.Sequence, a.Number), At: a.At, From: laneProxy, To: laneApp,
		Text: fmt.Sprintf("Callback %s, attempt %d", d.Event, a.Number), Result: result(a.Code), Tone: toneOfCode(a.Code),
		TookMs: a.Took.Milliseconds(), Method: http.MethodPost, URL: d.URL, Request: mask(d.body), Answer: mask(a.Answer),
	}
	switch {
	case a.TLSFault != "":
		s.Note = "TLS: " + a.TLSFault
	case a.Location != "":
		s.Note = "It pointed to " + a.Location
	case a.Cause != "" && a.Cause != "automatic":
		s.Note = a.Cause
	}
	if a.Code == 0 {
		s.Result, s.Tone = "no answer", "bad"
		if a.Error != "" {
			s.Result = a.Error
		}
	}
	return s
}

// payerSteps follow from what the provider said: the proxy never sees the
// payer.
func payerSteps(s Story) (all []Step) {
	p := s.Payment
	for _, x := range s.Exchanges {
		if x.From == laneProxy && x.To == laneProvider && x.Method == http.MethodPost && x.Code/100 == 2 && p.Accepted {
			text := p.ProviderName + " asks the payer"
			if len(p.Instructions) > 0 {
				text = "The payer gets a " + instructionWord(p) + ", by way of the app"
			}
			all = append(all, Step{ID: "payer-asked", At: x.At.Add(x.Took), From: laneProvider, To: lanePayer, Text: text, Inferred: true})
			break
		}
	}
	if p.Open() || len(all) == 0 || p.EndedBy == "operator" || p.EndedBy == "clock" || p.EndedBy == "absence" {
		return all
	}
	text, tone := "", ""
	switch {
	case p.Status == "SUCCESSFUL":
		text, tone = "The payer paid", "good"
	case p.FailureCode == payment.FailureNotApproved:
		text, tone = "The payer declined", "bad"
	default:
		return all
	}
	// The first word from the provider of this ending is the latest that the
	// payer can have acted.
	at := p.EndedAt
	for _, x := range s.Exchanges {
		word := statusWord(x.Request) + statusWord(x.Answer)
		if (x.From == laneProvider || x.To == laneProvider) && !x.Unproven && x.At.After(all[0].At) && toneOf(word) == toneOf(p.Status) && x.At.Before(at) {
			at = x.At
		}
	}
	return append(all, Step{ID: "payer-acted", At: at, From: lanePayer, To: laneProvider, Text: text, Tone: tone, Inferred: true})
}

func instructionWord(p Payment) string {
	if p.Instructions["link"] != "" {
		return "link"
	}
	if p.Instructions["code"] != "" {
		return "code"
	}
	return "reference"
}

func endText(p Payment) string {
	by := map[string]string{
		"submit": "by the answer to the request", "status": "by the provider's own status", "signed_webhook": "by a signed message",
		"trusted_callback": "by a trusted callback", "operator": "by an operator", "clock": "by the clock", "absence": "the provider does not know it",
	}[p.EndedBy]
	if p.Reason != "" && by != "" {
		return "Ended " + by + ": " + p.Reason
	}
	return "Ended " + by
}

// fold keeps one of several questions in a row with the same answer.
func fold(all []Step) []Step {
	folded := []Step{}
	for _, s := range all {
		if n := len(folded); n > 0 && s.same != "" && folded[n-1].same == s.same {
			last := &folded[n-1]
			last.Times = max(last.Times, 1) + 1
			last.Until = s.At
			continue
		}
		folded = append(folded, s)
	}
	return folded
}

// statusWord finds a provider's word for where a payment stands.
func statusWord(body string) string {
	var b struct {
		Status  any `json:"status"`
		Payment struct {
			Status any `json:"status"`
		} `json:"payment"`
		OperationStatus any `json:"operationStatus"`
		Data            struct {
			Status any `json:"status"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(body), &b) != nil {
		return ""
	}
	for _, v := range []any{b.Payment.Status, b.Status, b.Data.Status, b.OperationStatus} {
		if word, ok := v.(string); ok && word != "" && len(word) <= 40 {
			return word
		}
	}
	return ""
}

// toneOf is how good a status word is, in any provider's spelling.
func toneOf(word string) string {
	switch strings.ToUpper(word) {
	case "SUCCESSFUL", "PAID", "1":
		return "good"
	case "FAILED", "CANCELLED", "REJECTED", "EXPIRED", "ERROR", "3", "4", "5":
		return "bad"
	case "TIMEOUT":
		return "warn"
	}
	return ""
}

func toneOfCode(code int) string {
	switch {
	case code/100 == 2:
		return "good"
	case code == 0:
		return ""
	}
	return "bad"
}

func result(code int) string {
	if code == 0 {
		return ""
	}
	return fmt.Sprint(code)
}

// shortPath leaves the host out.
func shortPath(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
	}
	return url
}

// curl is a request of an app as a command. The key is not known here.
func curl(gatewayURL, method, path, body string) string {
	if gatewayURL == "" {
		gatewayURL = "$MOMO_PROXY_URL"
	}
	c := "curl"
	if method != http.MethodGet {
		c += " -X " + method
	}
	c += ` -H "X-Proxy-Api-Key: $MOMO_PROXY_KEY"`
	if body != "" {
		c += ` -H "Content-Type: application/json" -d '` + strings.ReplaceAll(body, "'", `'\''`) + "'"
	}
	if strings.HasPrefix(gatewayURL, "$") {
		return c + ` "` + gatewayURL + `"'` + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return c + " '" + strings.ReplaceAll(gatewayURL+path, "'", `'\''`) + "'"
}
