package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/delivery"
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
	At        time.Time // of an endpoint: when it wants to be tended; zero: it is disabled
}

// Attention lists one kind, payments and exhausted deliveries oldest first,
// held deliveries and disabled endpoints by client and endpoint, other
// endpoints by client and At.
func (l *Ledger) Attention(ctx context.Context, kind AttentionKind, p Paging) (Page[Attention], error) {
	return l.attention(ctx, ofKind(kind, "", ""), p)
}

// EndpointsPast is Attention for AttentionEndpoint, beginning past all of one
// client's; empty: with the first client. So a reader need not walk through
// what one client leaves behind to see the others'. The cursor goes on past
// the same client.
func (l *Ledger) EndpointsPast(ctx context.Context, clientID string, p Paging) (Page[Attention], error) {
	from := ""
	if clientID != "" {
		from = clientID + "$" // follows "#", which ends an id
	}
	return l.attention(ctx, ofKind(AttentionEndpoint, from, ""), p)
}

// HeldFor lists what is held for one endpoint, oldest event first, from the
// place given on (that of an earlier answer's last entry; empty: all).
func (l *Ledger) HeldFor(ctx context.Context, e delivery.Endpoint, from string, p Paging) (Page[Attention], error) {
	prefix := heldPrefix(e.ClientID, e.Origin)
	return l.attention(ctx, ofKind(AttentionHeld, prefix+from, prefix+"~"), p)
}

// Place is where a held delivery stands among those of its endpoint.
func (a Attention) Place() string {
	return fmt.Sprintf("%s#%s#%06d", timeKey(a.At), a.Reference, a.Sequence)
}

func (l *Ledger) attention(ctx context.Context, q table.Query, p Paging) (Page[Attention], error) {
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
			a.At, err = time.Parse(timeLayout, part)
		case "client":
			a.ClientID = part
		case "reference":
			a.Reference = part
		case "endpoint":
			a.Endpoint = part
		case "sequence":
			a.Sequence, err = strconv.Atoi(part)
		}
		if err != nil {
			return Attention{}, ErrCorrupt
		}
	}
	return a, nil
}
