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
		prefix := in.ClientID + "#" + in.Endpoint + "#"
		from, to = prefix+in.From, prefix+"~"
	}
	q := ofKind(in.Kind, from, to)
	q.Space, q.Limit, q.After = table.Main, p.within(table.MaxLimit), p.Cursor
	return page(ctx, l, "read attention", q, attentionFrom)
}

// Place is where a held delivery stands among those of its endpoint.
func (a Attention) Place() string {
	return timeKey(a.At) + "#" + a.Reference + "#" + number6(a.Sequence)
}

// attentionFields are the parts of each kind's sort key, which order its
// entries. The held deliveries of one endpoint are one range, oldest event
// first. Those that are held for another reason have an empty endpoint.
var attentionFields = map[AttentionKind][]string{
	AttentionPayment:   {"at", "client", "reference"},
	AttentionExhausted: {"at", "client", "reference", "sequence"},
	AttentionHeld:      {"client", "endpoint", "at", "reference", "sequence"},
	AttentionEndpoint:  {"client", "at", "endpoint"},
	AttentionDisabled:  {"client", "endpoint"},
	AttentionRefund:    {"at", "client", "reference", "refund"},
}

// entry is a's place in the index.
func (a Attention) entry() table.IndexKey {
	parts := map[string]string{
		"at": timeKey(a.At), "client": a.ClientID, "reference": a.Reference, "endpoint": a.Endpoint,
		"sequence": number6(a.Sequence), "refund": a.RefundID,
	}
	sort := string(a.Kind)
	for _, field := range attentionFields[a.Kind] {
		sort += "#" + parts[field]
	}
	return table.IndexKey{Partition: attentionPartition, Sort: sort}
}

// attentionFrom reads what entry wrote.
func attentionFrom(rec table.Record) (Attention, error) {
	parts := strings.Split(rec.Index[IndexAttention].Sort, "#")
	a := Attention{Kind: AttentionKind(parts[0])}
	fields := attentionFields[a.Kind]
	corrupt := fmt.Errorf("%w: attention entry of %s", ErrCorrupt, rec.Key)
	if parts = parts[1:]; len(parts) != len(fields) || len(fields) == 0 {
		return Attention{}, corrupt
	}
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
			return Attention{}, corrupt
		}
	}
	return a, nil
}
