package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// maxFound is how many payments of one name are listed in the refusal to
// choose among them.
const maxFound = 20

// reference finds the payment that a name means: its reference, its order id,
// an id that its provider gave it, or its transaction id. Of several none is
// chosen.
func (s *session) reference(ctx context.Context, name string) (string, error) {
	if payment.IsReference(name) {
		p, err := s.ledger.Payment(ctx, name)
		if !errors.Is(err, ledger.ErrNotFound) {
			return p.Reference, err
		}
	}
	found, searched, err := s.named(ctx, name)
	if err != nil {
		return "", err
	}
	switch {
	case len(found) == 1:
		return found[0].Reference, nil
	case len(found) == 0 && !searched:
		return "", fmt.Errorf("payment %q is %w, as far as was searched; momoctl payment list --external-id %q goes on", name, ledger.ErrNotFound, name)
	case len(found) == 0:
		return "", fmt.Errorf("payment %q is %w; reference, order, provider's id and transaction id were looked for", name, ledger.ErrNotFound)
	}
	what := fmt.Sprintf("%q names %s; give the reference of one", name, plural(len(found), "payment"))
	for _, p := range found {
		what += fmt.Sprintf("\n  %s  %s  %s  %s of %s", p.Reference, short(p.CreatedAt), p.Status, p.ExternalID, p.ClientID)
	}
	return "", refused("%s", what)
}

// named looks a name up: in the indexes, then among the orders whose payments
// have ended. all is false when the last search stopped at its bound.
func (s *session) named(ctx context.Context, name string) (found []ledger.Payment, all bool, err error) {
	add := func(some []ledger.Payment, err error) error {
		for _, p := range some {
			if !slices.ContainsFunc(found, func(q ledger.Payment) bool { return q.Reference == p.Reference }) {
				found = append(found, p)
			}
		}
		return err
	}
	if err := add(s.ledger.FindPayments(ctx, ledger.ID{Named: name})); err != nil {
		return nil, false, err
	}
	if err := add(s.ledger.FindPayments(ctx, ledger.ID{Transaction: name})); err != nil {
		return nil, false, err
	}
	for _, p := range offline() {
		if err := add(s.ledger.FindPayments(ctx, ledger.ID{Provider: p.Capabilities().Name, ProviderID: name})); err != nil {
			return nil, false, err
		}
	}
	if len(found) > 0 {
		return found, true, nil
	}
	walk := walker[ledger.Payment]{session: s, fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.ListPayments(ctx, client, ledger.PaymentFilter{ExternalID: name}, p)
	}}
	ended, next, err := walk.collect(ctx, pageFlags{limit: maxFound})
	return ended, next == "", err
}

// checkName looks at the first argument, where it may be any name of a payment.
func checkName(args []string) error {
	if args[0] == "" || len(args[0]) > payment.MaxID || strings.ContainsRune(args[0], 0) {
		return usageError("a payment is named by its reference, its order id, an id of its provider or its transaction id")
	}
	return nil
}
