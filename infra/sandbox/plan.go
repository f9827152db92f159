package sandbox

import "time"

// Plan is the script of one payment, from the answer to its request to its
// last callback.
type Plan struct {
	Name    string
	Meaning string // one line for README.md

	// Submit is what happens to the request itself, for the first SubmitTimes
	// requests under one reference (0: for all).
	Submit      Fault
	SubmitTimes int
	// Refusal is an error code of MTN's answered instead of accepting.
	Refusal string
	// Steps are the states it goes through, oldest first. It is PENDING from
	// acceptance to the first step.
	Steps []Step
	// Callbacks are those sent; none means that they are lost.
	Callbacks []Notice
	// Status is what happens to the first StatusTimes status answers (0: to
	// all).
	Status      Fault
	StatusTimes int
	// Hidden is how long after acceptance the status is still 404.
	Hidden time.Duration
	// Lag is how far status answers are behind the truth.
	Lag time.Duration
}

// Step is a state reached so long after acceptance.
type Step struct {
	After  time.Duration
	Status string
	Reason string // FAILED only
}

// Notice is a callback sent so long after acceptance.
type Notice struct {
	After  time.Duration
	Method string // default POST
	Status string // claimed; default the truth when it is sent
	Reason string
	Forged bool // somebody else sends it

	url  string // default the payment's own
	body []byte // default what MTN would send
}

// Times are the waits of the scripts.
type Times struct {
	Approve time.Duration // the payer approves, or whatever else ends the payment
	Slow    time.Duration // a payer who takes long
	Late    time.Duration // a late callback, after the end
	Repeat  time.Duration // between a callback and its repetition
	Lag     time.Duration // status answers behind the truth; Hidden too
	Ongoing time.Duration // …453 and …454 stay open
	Expire  time.Duration // MTN's PIN window
	Long    time.Duration // longer than anybody waits
}

// DefaultTimes are those seen at MTN where they were seen (Ongoing: 45 s and
// more, Repeat: 3 min, Expire: 5 min), and one second for Approve, since the
// sandbox prompts nobody.
func DefaultTimes() Times {
	return Times{
		Approve: time.Second, Slow: 30 * time.Second, Late: 2 * time.Minute, Repeat: 3 * time.Minute,
		Lag: 15 * time.Second, Ongoing: 45 * time.Second, Expire: 5 * time.Minute, Long: 26 * time.Hour,
	}
}

// Names of scripts that code asks for by name.
const (
	PlanSuccess = "success"
	PlanPending = "pending_forever"
)

// succeeds is the ordinary script, its end and its callback so long after
// acceptance.
func succeeds(after time.Duration) Plan {
	return Plan{Steps: []Step{{After: after, Status: "SUCCESSFUL"}}, Callbacks: []Notice{{After: after}}}
}

// fails is a script that ends with a reason.
func fails(after time.Duration, reason string) Plan {
	return Plan{Steps: []Step{{After: after, Status: "FAILED", Reason: reason}}, Callbacks: []Notice{{After: after}}}
}

// refused is a script that never starts.
func refused(code string) Plan { return Plan{Refusal: code} }

// submit makes the request itself go wrong the first so many times.
func (p Plan) submit(f Fault, times int) Plan {
	p.Submit, p.SubmitTimes = f, times
	return p
}

// shown makes status answers go wrong the first so many times.
func (p Plan) shown(f Fault, times int) Plan {
	p.Status, p.StatusTimes = f, times
	return p
}

// told replaces the callbacks.
func (p Plan) told(n ...Notice) Plan {
	p.Callbacks = n
	return p
}
