package console

import "context"

// paymentPage is one payment as its page shows it.
type paymentPage struct {
	Payment    Payment    `json:"payment"`
	Sentence   string     `json:"sentence"`
	Tell       string     `json:"tell"`
	Tone       string     `json:"tone,omitempty"`
	Steps      []Step     `json:"steps"`
	Deliveries []Delivery `json:"deliveries"`
	Bodies     []string   `json:"bodies"` // of the deliveries, masked
	Resend     string     `json:"resend"` // how the app asks for its callback again
	Status     string     `json:"statusCurl"`
	// Number is the payer's, only after it was asked for.
	Number string `json:"number,omitempty"`
	// What an operator may do now.
	Can can `json:"can"`
	// Controls are the stand-in's, in words the page knows.
	Controls []string `json:"controls,omitempty"`
}

type can struct {
	Check  bool `json:"check"`
	Settle bool `json:"settle"`
	// NeedsSeen: FAILED or CANCELLED needs a look into the provider's portal.
	NeedsSeen bool `json:"needsSeen,omitempty"`
	// Payable: the payer may still pay, so that another payment of the order
	// may take the money twice.
	Payable bool `json:"payable,omitempty"`
}

func (c *Console) paymentPage(ctx context.Context, reference string) (any, error) {
	s, err := c.records.story(ctx, reference)
	if err != nil {
		return nil, err
	}
	return c.pageOf(s, false), nil
}

func (c *Console) pageOf(s Story, shown bool) paymentPage {
	p := s.Payment
	v := paymentPage{
		Sentence: Sentence(s), Tell: Tell(p), Tone: toneOf(p.Status), Steps: lanes(s, c.GatewayURL, shown),
		Deliveries: append([]Delivery{}, s.Deliveries...), Bodies: []string{},
		Resend: curl(c.GatewayURL, "POST", "/payments/"+p.Reference+"/resend-callback", ""),
		Status: curl(c.GatewayURL, "GET", "/status/"+p.Reference, ""),
	}
	if v.Tone == "" && (p.Phase == "held" || p.Phase == "in_reconciliation") {
		v.Tone = "warn"
	}
	for _, d := range s.Deliveries {
		body := d.body
		if !shown {
			body = p.masked(body)
		}
		v.Bodies = append(v.Bodies, body)
	}
	if shown {
		v.Number = p.number
	} else {
		p.Metadata, p.ProviderIDs, p.Instructions = p.maskWords(p.Metadata), p.maskWords(p.ProviderIDs), p.maskWords(p.Instructions)
		p.PayerMessage, p.PayeeNote = p.masked(p.PayerMessage), p.masked(p.PayeeNote)
	}
	v.Payment = p
	v.Can = c.can(p)
	if c.Local != nil {
		v.Controls = c.Local.Controls(p)
	}
	return v
}

func (c *Console) can(p Payment) can {
	return can{
		Check:  c.Actions && c.Ask != nil,
		Settle: c.Actions && c.Settle != nil && p.Open(),
		// The gateway checks both again.
		NeedsSeen: p.needsLook,
		Payable:   p.mayDouble,
	}
}
