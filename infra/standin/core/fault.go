package core

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Fault is one way in which an exchange goes wrong.
type Fault string

// The faults that every stand-in has. Those named …_before strike before the
// request is acted on; all others strike when it has been, so that only the
// answer is lost or wrong. There are also errorNNN_before and htmlNNN_before of
// the statuses below, and …_after of those that somebody on the way may answer:
// no provider is known to refuse with a 4xx what it has taken.
const (
	TimeoutBefore  Fault = "timeout_before"
	TimeoutAfter   Fault = "timeout_after"
	ResetBefore    Fault = "reset_before"
	ResetAfter     Fault = "reset_after"
	Error400Before Fault = "error400_before"
	Error401Before Fault = "error401_before"
	Error403Before Fault = "error403_before"
	Error404Before Fault = "error404_before"
	Error409Before Fault = "error409_before"
	Error429Before Fault = "error429_before"
	Error500Before Fault = "error500_before"
	Error500After  Fault = "error500_after"
	Error503Before Fault = "error503_before"
	Error503After  Fault = "error503_after"
	HTML200Before  Fault = "html200_before"
	HTML200After   Fault = "html200_after"
	HTML404Before  Fault = "html404_before"
	HTML504After   Fault = "html504_after"
	JSON200Before  Fault = "json200_before"
	JSON200After   Fault = "json200_after"
	Truncated      Fault = "truncated"
	SlowBody       Fault = "slow_body"
	Endless        Fault = "endless"
	EchoBefore     Fault = "echo_before"

	Lost     Fault = "lost"
	Repeated Fault = "repeated"
)

// errorCodes and pageCodes are the statuses of errorNNN and htmlNNN.
var (
	errorCodes = []int{400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504}
	pageCodes  = []int{200, 403, 404, 502, 504}
)

// OwnFault is a fault that only one provider has.
type OwnFault struct {
	Name    Fault
	Meaning string
	Routes  []string // where it can strike; empty: wherever a request comes
	Before  bool
	// Answer makes the wrong answer of the true one; nil: the provider looks
	// at Request.Rule itself.
	Answer func(*Request, Answer) Answer
}

type faultKind struct {
	OwnFault
	callback bool
}

// refusing is a stand-in's way to refuse.
type refusing func(code int) Answer

// common makes the faults that every stand-in has.
func common(refuse refusing) []OwnFault {
	delivered := func(d Delivery) func(*Request, Answer) Answer {
		return func(_ *Request, a Answer) Answer { a.Delivery = d; return a }
	}
	instead := func(a func() Answer) func(*Request, Answer) Answer {
		return func(*Request, Answer) Answer { return a() }
	}
	var all []OwnFault
	both := func(name, meaning string, answer func(*Request, Answer) Answer) {
		all = append(all,
			OwnFault{Name: Fault(name + "_before"), Meaning: meaning + ", not acted on", Before: true, Answer: answer},
			OwnFault{Name: Fault(name + "_after"), Meaning: meaning + ", though acted on", Answer: answer})
	}
	both("timeout", "no answer", delivered(Hangs))
	both("reset", "connection reset", delivered(Resets))
	for _, code := range errorCodes {
		both(fmt.Sprintf("error%d", code), fmt.Sprintf("%d in the provider's form", code), instead(func() Answer { return refuse(code) }))
		if code < 500 {
			all = all[:len(all)-1]
		}
	}
	for _, code := range pageCodes {
		both(fmt.Sprintf("html%d", code), fmt.Sprintf("%d with a web page", code), instead(func() Answer { return Page(code, "Request Rejected") }))
	}
	both("json200", "200 with {}", instead(func() Answer { return JSON(200, struct{}{}) }))
	return append(all,
		OwnFault{Name: Truncated, Meaning: "acted on, the answer breaks off", Answer: delivered(BreaksOff)},
		OwnFault{Name: SlowBody, Meaning: "acted on, the second half of the answer comes 30 s later", Answer: delivered(Slow)},
		OwnFault{Name: Endless, Meaning: "acted on, the answer never ends", Answer: func(*Request, Answer) Answer {
			a := Page(200, strings.Repeat("all work and no pay ", 200))
			a.Delivery = NeverEnds
			return a
		}},
		OwnFault{Name: EchoBefore, Meaning: "500 that repeats the request's headers, not acted on", Before: true, Answer: func(r *Request, _ Answer) Answer {
			return JSON(500, map[string]any{"code": "INTERNAL_ERROR", "message": fmt.Sprint(r.Header), "error": fmt.Sprint(r.Header)})
		}},
	)
}

func faultsOf(refuse refusing, own []OwnFault) map[Fault]faultKind {
	all := map[Fault]faultKind{
		Lost:     {OwnFault: OwnFault{Name: Lost, Meaning: "callback never sent", Routes: []string{RouteCallback}}, callback: true},
		Repeated: {OwnFault: OwnFault{Name: Repeated, Meaning: "callback sent twice", Routes: []string{RouteCallback}}, callback: true},
	}
	for _, f := range append(common(refuse), own...) {
		all[f.Name] = faultKind{OwnFault: f}
	}
	return all
}

// FaultMeaning is one row of GET /faults.
type FaultMeaning struct {
	Name    Fault    `json:"name"`
	Meaning string   `json:"meaning"`
	Routes  []string `json:"routes,omitempty"` // the only ones it is for
}

// Faults lists every fault there is, sorted by name.
func (s *Standin[T]) Faults() []FaultMeaning {
	all := make([]FaultMeaning, 0, len(s.faults))
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		f := s.faults[name]
		all = append(all, FaultMeaning{name, f.Meaning, f.Routes})
	}
	return all
}

// Before says whether a fault strikes before a request is acted on.
func (s *Standin[T]) Before(f Fault) bool { return s.faults[f].Before }

// Spoil is a true answer as a fault leaves it.
func (s *Standin[T]) Spoil(f Fault, r *Request, a Answer) Answer {
	if change := s.faults[f].Answer; change != nil {
		delay := a.Delay
		a = change(r, a)
		a.Delay = max(a.Delay, delay)
	}
	return a
}

// JSON answers with v.
func JSON(code int, v any) Answer {
	b, err := json.Marshal(v)
	if err != nil { // a fault put something into v that is no JSON
		return Page(500, "Internal Server Error")
	}
	return Answer{Code: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: b}
}

// Page answers with a web page.
func Page(code int, title string) Answer {
	return Answer{
		Code: code, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body: []byte("<html><head><title>" + title + "</title></head><body>" + title + "</body></html>"),
	}
}
