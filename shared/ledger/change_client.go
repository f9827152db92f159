package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// SetCallbackURL replaces a client's default callback URL. ErrStale: the
// client has changed since it was read.
func (l *Ledger) SetCallbackURL(ctx context.Context, c Client, url string) error {
	if c.CallbackURL == url {
		return nil
	}
	c.CallbackURL = url
	note := "callbacks go to " + withoutQuery(url)
	if url == "" {
		note = "no callback URL any more"
	}
	_, err := l.putClient(ctx, c, l.clientAudit(c, Clock(l.now()), "set-callback-url", note))
	return err
}

// UpdateClient replaces a client's name, whether its callbacks carry
// X-MoMo-Proxy-Signature, and its accounts by those of wanted. ErrStale: the
// client has changed since it was read.
func (l *Ledger) UpdateClient(ctx context.Context, c, wanted Client) error {
	if c.Name == wanted.Name && c.NoLegacySignature == wanted.NoLegacySignature && slices.Equal(c.Accounts, wanted.Accounts) {
		return nil
	}
	note := fmt.Sprintf("name %q, legacy signature %t", wanted.Name, !wanted.NoLegacySignature)
	if len(wanted.Accounts)+len(c.Accounts) > 0 {
		note += ", accounts " + cmp.Or(strings.Join(wanted.Accounts, ", "), "all")
	}
	c.Name, c.NoLegacySignature, c.Accounts = wanted.Name, wanted.NoLegacySignature, wanted.Accounts
	_, err := l.putClient(ctx, c, l.clientAudit(c, Clock(l.now()), "update", note))
	return err
}

// SetClientActive lets a client's requests in, or refuses them from now on
// (elsewhere: from ClientFresh on at the latest). What it has been promised is
// still delivered. ErrStale: the client has changed since it was read.
func (l *Ledger) SetClientActive(ctx context.Context, c Client, active bool) error {
	if c.Active == active {
		return nil
	}
	c.Active = active
	action, note := "disable", "its requests are refused"
	if active {
		action, note = "enable", "its requests are let in"
	}
	_, err := l.putClient(ctx, c, l.clientAudit(c, Clock(l.now()), action, note))
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

// ClientTrail reads the audit records of a client that belong to no payment,
// oldest first: its changes, and requests that made none.
func (l *Ledger) ClientTrail(ctx context.Context, id string) ([]AuditRecord, error) {
	return l.auditPartition(ctx, clientPrefix+id, "")
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
