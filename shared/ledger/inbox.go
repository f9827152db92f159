package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// Attention is one entry of the operator's inbox. The index may lag: read the
// record and decide on that.
type Attention struct {
	Kind      AttentionKind
	ClientID  string
	Reference string    // of the payment; empty for an endpoint
	Sequence  int       // of the delivery; 0 for a payment or an endpoint
	Endpoint  string    // origin, of an endpoint and of what is held for one
	RefundID  string    // of a refund
	At        time.Time // of an endpoint: when it is to be maintained; zero: it is disabled
}

// InboxQuery asks for one kind of entry.
type InboxQuery struct {
	Kind AttentionKind
	// PastClient, of AttentionEndpoint, begins past all of one client's. So a
	// reader need not walk through what one client leaves behind to see the
	// others'.
	PastClient string
	// ClientID and Endpoint, of AttentionHeld, leave what is held for one
	// endpoint, From the place of an entry on; empty: all.
	ClientID, Endpoint string
	From               string
}

// Inbox lists one kind, payments, refunds and exhausted deliveries oldest first, held
// deliveries by client and endpoint and then oldest first, disabled endpoints
// by client, other endpoints by client and At.
func (l *Ledger) Inbox(ctx context.Context, in InboxQuery, p Paging) (Page[Attention], error) {
	from, to := "", ""
	switch {
	case in.PastClient != "":
		from = in.PastClient + "$" // follows "#", which ends an id
	case in.ClientID != "":
		prefix := heldPrefix(in.ClientID, in.Endpoint)
		from, to = prefix+in.From, prefix+"~"
	}
	q := ofKind(in.Kind, from, to)
	q.Space, q.Limit, q.After = table.Main, p.within(table.MaxLimit), p.Cursor
	page, err := l.query(ctx, "read attention", q)
	if err != nil {
		return Page[Attention]{}, err
	}
	all := make([]Attention, 0, len(page.Records))
	for _, rec := range page.Records {
		a, err := attentionFrom(rec.Index[IndexAttention].Sort)
		if err != nil {
			return Page[Attention]{}, fmt.Errorf("%w: attention entry of %s", err, rec.Key)
		}
		all = append(all, a)
	}
	return Page[Attention]{all, page.Next}, nil
}

// Place is where a held delivery stands among those of its endpoint.
func (a Attention) Place() string {
	return timeKey(a.At) + "#" + a.Reference + "#" + number6(a.Sequence)
}

// attentionFrom takes an entry's sort key apart (see the functions that make
// them in keys.go).
func attentionFrom(sort string) (Attention, error) {
	kind, sort, _ := strings.Cut(sort, "#")
	fields := map[AttentionKind][]string{
		AttentionPayment:   {"at", "client", "reference"},
		AttentionExhausted: {"at", "client", "reference", "sequence"},
		AttentionHeld:      {"client", "endpoint", "at", "reference", "sequence"},
		AttentionEndpoint:  {"client", "at", "endpoint"},
		AttentionDisabled:  {"client", "endpoint"},
		AttentionRefund:    {"at", "client", "reference", "refund"},
	}[AttentionKind(kind)]
	parts := strings.Split(sort, "#")
	if len(parts) != len(fields) || len(fields) == 0 {
		return Attention{}, ErrCorrupt
	}
	a := Attention{Kind: AttentionKind(kind)}
	for i, field := range fields {
		var err error
		switch part := parts[i]; field {
		case "at":
			a.At, err = readTimeKey(part)
		case "client":
			a.ClientID = part
		case "reference":
			a.Reference = part
		case "endpoint":
			a.Endpoint = part
		case "refund":
			a.RefundID = part
		case "sequence":
			a.Sequence, err = strconv.Atoi(part)
		}
		if err != nil {
			return Attention{}, ErrCorrupt
		}
	}
	return a, nil
}
