package console

import (
	"context"
	"time"
)

// Local is what a system on one machine has in the place of real payers,
// providers and apps. Its methods are safe for concurrent use. An error that
// a person can act on is made with Refuse.
type Local interface {
	// State is what the pages show of it; the console adds the names.
	State() LocalState
	// Standin says whether a provider is a stand-in, and whether it is down.
	Standin(provider string) (standin, down bool)
	// Controls are the words that Control takes for a payment as it stands.
	Controls(p Payment) []string
	// Control has the payer or the provider do something about a payment.
	Control(ctx context.Context, p Payment, what string) error
	// Pay starts a payment as the demo app would, with a body of
	// request-to-pay, and returns what the API answered.
	Pay(ctx context.Context, body []byte) (code int, answer []byte, err error)
	// SetProviderDown and SetAppDown end a provider's and the demo app's
	// answers, or let them answer again.
	SetProviderDown(provider string, down bool) error
	SetAppDown(down bool) error
	// Forward moves the clock of the whole system.
	Forward(by time.Duration) error
	// Trigger starts what ends in the event named.
	Trigger(ctx context.Context, event string) (Triggered, error)
}

// LocalState is what stands in for the world.
type LocalState struct {
	AppURL    string           `json:"appUrl"`
	AppDown   bool             `json:"appDown"`
	Ahead     string           `json:"ahead,omitempty"` // how far the clock was moved
	AheadMs   int64            `json:"aheadMs,omitempty"`
	Payers    []Payer          `json:"payers"`
	Triggers  []string         `json:"triggers"`
	Providers []ProviderSwitch `json:"providers"`
}

// ProviderSwitch is a stand-in that can be switched off.
type ProviderSwitch struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Down        bool   `json:"down"`
}

// Payer is one way in which a payment can go.
type Payer struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Method   string `json:"method,omitempty"`
	Number   string `json:"number,omitempty"`
	Amount   string `json:"amount"`
}

// Triggered is what a trigger did.
type Triggered struct {
	Reference string `json:"reference,omitempty"`
	Text      string `json:"text"`
}

// Refuse makes an error for the person at the page.
func Refuse(text string) error { return refusal(text) }

// RunningFile is in the data folder of a local system while it runs: where
// its console is, and the token for its actions, for momoctl.
const RunningFile = "console.json"

// Running is what RunningFile has.
type Running struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// Running tells another program of this machine how to act.
func (c *Console) Running(url string) Running { return Running{url, c.token} }
