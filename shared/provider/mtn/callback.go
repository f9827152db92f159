package mtn

import (
	"fmt"
	"slices"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// idFields are the names under which a callback may name a payment, in the
// order in which the contract looks them up: externalId, then the reference
// id. MTN itself sends externalId alone (observed), which is our reference;
// hand-made callbacks use either.
var idFields = []string{"externalId", "referenceId", "reference_id", "X-Reference-Id", "x-reference-id"}

// ParseCallback implements provider.Provider. MTN sends the same body by
// POST and by PUT. Every field is optional, keys are matched exactly, other
// fields are ignored; what has neither an id nor a status, a key twice, or
// more than 64 KiB is refused. The Evidence says FromCallback, a hint; a caller
// that trusts callbacks changes its Source.
func (p *Provider) ParseCallback(in provider.Inbound) (provider.Callback, error) {
	body := in.Body
	if len(body) > wire.MaxAnswer {
		return provider.Callback{}, fmt.Errorf("%w: over %d bytes", provider.ErrCallback, wire.MaxAnswer)
	}
	fields, err := wire.ReadObject(body)
	if err != nil {
		return provider.Callback{}, fmt.Errorf("%w: %w", provider.ErrCallback, err)
	}
	ev, err := report(fields, decisions)
	if err != nil {
		return provider.Callback{}, fmt.Errorf("%w: %w", provider.ErrCallback, err)
	}
	ev.Source, ev.At = payment.FromCallback, in.At
	var ids []string
	for _, name := range idFields {
		if id, _ := fields.Text(name); wire.Storable(id, longestID) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && ev.Verdict == payment.SaysNothing {
		return provider.Callback{}, fmt.Errorf("%w: neither an id nor a status", provider.ErrCallback)
	}
	return provider.Callback{IDs: ids, Evidence: ev}, nil
}
