package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// ClientChange is what to change about a client; nil: as it is.
type ClientChange struct {
	Name              *string
	CallbackURL       *string // empty: none any more
	NoLegacySignature *bool
	Accounts          *[]string        // empty: all
	RefundsPerDay     *[]payment.Money // empty: it may refund nothing
	// Active lets its requests in, or refuses them from now on (elsewhere: from
	// ClientFresh on at the latest). What it has been promised is still
	// delivered.
	Active *bool
}

// ChangeClient changes a client, with the audit record of who did it. What
// changes nothing writes nothing. ErrStale: the client has changed since it
// was read.
func (l *Ledger) ChangeClient(ctx context.Context, c Client, to ClientChange) error {
	before := c
	var actions, notes []string
	note := func(action, text string) { actions, notes = append(actions, action), append(notes, text) }
	if to.CallbackURL != nil && *to.CallbackURL != before.CallbackURL {
		if c.CallbackURL = *to.CallbackURL; c.CallbackURL == "" {
			note("set-callback-url", "no callback URL any more")
		} else {
			note("set-callback-url", "callbacks go to "+withoutQuery(c.CallbackURL))
		}
	}
	if to.Name != nil {
		c.Name = *to.Name
	}
	if to.NoLegacySignature != nil {
		c.NoLegacySignature = *to.NoLegacySignature
	}
	if to.Accounts != nil {
		c.Accounts = *to.Accounts
	}
	if c.Name != before.Name || c.NoLegacySignature != before.NoLegacySignature || !slices.Equal(c.Accounts, before.Accounts) {
		text := fmt.Sprintf("name %q, legacy signature %t", c.Name, !c.NoLegacySignature)
		if len(c.Accounts)+len(before.Accounts) > 0 {
			text += ", accounts " + cmp.Or(strings.Join(c.Accounts, ", "), "all")
		}
		note("update", text)
	}
	if to.RefundsPerDay != nil && !slices.Equal(*to.RefundsPerDay, before.RefundsPerDay) {
		c.RefundsPerDay = *to.RefundsPerDay
		texts := make([]string, len(c.RefundsPerDay))
		for i, m := range c.RefundsPerDay {
			texts[i] = m.String()
		}
		note("refunds", "it may refund "+cmp.Or(strings.Join(texts, ", "), "nothing")+" a day")
	}
	if to.Active != nil && *to.Active != before.Active {
		if c.Active = *to.Active; c.Active {
			note("enable", "its requests are let in")
		} else {
			note("disable", "its requests are refused")
		}
	}
	if len(notes) == 0 {
		return nil
	}
	_, err := l.putClient(ctx, c, l.clientAudit(c, Clock(l.now()), strings.Join(actions, "+"), strings.Join(notes, "; ")))
	return err
}

// ResealClient seals the client's keys and secrets anew under the newest
// sealing key, if any is sealed under an older one, and says whether it did.
// When every client has been through it the older sealing keys can go.
// ErrNotFound; ErrStale: the client changed meanwhile, which resealed it too.
func (l *Ledger) ResealClient(ctx context.Context, id string) (bool, error) {
	c, err := l.Client(ctx, id)
	if err != nil || !c.sealedBefore {
		return false, err
	}
	_, err = l.putClient(ctx, c, l.clientAudit(c, Clock(l.now()), "reseal", "sealed anew"))
	return err == nil, err
}

// OperatorMethod stands in an audit record where an exchange has its HTTP
// method: a person did this, by a tool.
const OperatorMethod = "OPERATOR"

// clientAudit is the record of a change of a client. It holds nothing secret.
func (l *Ledger) clientAudit(c Client, at time.Time, action, note string) AuditRecord {
	who := "operator"
	if l.operator != "" {
		who += " " + l.operator
	}
	// INBOUND_FROM_APP is the nearest of the log's four directions.
	return AuditRecord{
		At: at, Direction: InboundFromApp, ClientID: c.ID, Method: OperatorMethod, URL: "client/" + action,
		Note: who + ": " + note,
	}
}

// withoutQuery leaves out what of a URL may be a token.
func withoutQuery(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url
}

// putClient writes a client under the version that was read, with the audit
// record of the change, and has this process read it anew. It returns the
// client as stored.
func (l *Ledger) putClient(ctx context.Context, c Client, audit AuditRecord, more ...table.Op) (Client, error) {
	rec, err := l.clientRecord(c)
	if err != nil {
		return Client{}, err
	}
	err = l.write(ctx, "change client", append([]table.Op{table.Put(rec), table.Put(l.auditRecord(audit))}, more...)...)
	for _, name := range []string{c.ID, KeyHash(c.APIKey), KeyHash(c.OldAPIKey)} {
		l.clients.drop(name)
	}
	if err != nil {
		return Client{}, err
	}
	c.version++
	c.sealedBefore = false
	return c, nil
}
