package main

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/ledger"
)

// releaseMoved makes due what is held for a client's old address, or for want
// of one: the new address has done nothing wrong. It begins when no function
// remembers the old one, and goes at the rate at which held events go to an
// endpoint that is back.
func (s *session) releaseMoved(ctx context.Context, c ledger.Client, old string) (int, error) {
	was := delivery.Origin(old)
	if c.CallbackURL == "" || was == delivery.Origin(c.CallbackURL) {
		return 0, nil
	}
	released := 0
	at := s.clock().Add(ledger.ClientFresh)
	for cursor := ""; ; {
		held, err := s.ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionHeld, ClientID: c.ID, Endpoint: was}, ledger.Paging{Limit: replayPage, Cursor: cursor})
		if err != nil {
			return released, err
		}
		for _, a := range held.Items {
			d, err := s.ledger.Delivery(ctx, a.Reference, a.Sequence)
			if err == nil && moves(d, was) {
				if d, err = s.ledger.SaveDelivery(ctx, d.Release(ledger.Clock(at))); err == nil {
					released++
					at = at.Add(time.Second / forwarder.DrainRate)
					s.person().Ring(ctx, d)
				}
			}
			if err != nil && !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, ledger.ErrStale) {
				return released, err
			}
		}
		if cursor = held.Next; held.Next == "" {
			return released, nil
		}
	}
}

// moves says whether a delivery waits for the client's address that was.
func moves(d delivery.Delivery, was string) bool {
	if d.URL != "" || d.State != delivery.Held {
		return false
	}
	return d.Endpoint == was && (was != "" || d.HeldReason == delivery.HeldNoURL)
}
