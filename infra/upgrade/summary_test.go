package upgrade

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// reads notes which records were read whole.
type reads struct {
	table.Table

	mu   sync.Mutex
	keys map[table.Key]bool
}

func (r *reads) note(keys ...table.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		r.keys[k] = true
	}
}

func (r *reads) Get(ctx context.Context, k table.Key) (table.Record, error) {
	r.note(k)
	return r.Table.Get(ctx, k)
}

func (r *reads) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	r.note(keys...)
	return r.Table.GetMany(ctx, keys...)
}

func (r *reads) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := r.Table.Query(ctx, q)
	if q.Index == "" {
		for _, rec := range page.Records {
			r.note(rec.Key)
		}
	}
	return page, err
}

// summary is everything that a ledger says about a table, in text. Only values
// that are not zero are in it: a later release may know more fields.
type summary struct {
	ctx    context.Context
	ledger *ledger.Ledger
	at     time.Time
	out    strings.Builder
	known  map[string]bool // "Type.Field" of each value
	err    error
}

// summarise reads what a table holds. keys are those of all its records: some
// can only be asked for by name.
func summarise(ctx context.Context, t table.Table, keys []table.Key, seal ledger.Sealer, hash func(string) string, when time.Time) (text string, known map[string]bool, err error) {
	seen := &reads{Table: t, keys: map[table.Key]bool{}}
	s := &summary{ctx: ctx, at: when, known: map[string]bool{}, ledger: ledger.New(seen, seal, ledger.Options{HashPayer: hash})}
	s.say("written", at(when))
	s.clients()
	s.lists()
	s.named(keys)
	for _, k := range keys {
		// Beside the audit record of a callback that matches nothing is an empty
		// one, which nobody reads.
		if !seen.keys[k] && !(k.Space == table.Main && strings.HasPrefix(k.Partition, "unmatched#")) {
			s.fail("%s: no question to the ledger reads it", k)
		}
	}
	return s.out.String(), s.known, s.err
}

func (s *summary) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// must notes an error.
func must[V any](v V, err error) func(*summary, string) V {
	return func(s *summary, what string) V {
		if err != nil {
			s.fail("%s: %w", what, err)
		}
		return v
	}
}

func (s *summary) say(name string, v any) {
	if text := s.text(reflect.ValueOf(v)); text != "" {
		fmt.Fprintf(&s.out, "%s: %s\n", name, text)
	}
}

// text is a value without what is zero in it.
func (s *summary) text(v reflect.Value) string {
	if !v.IsValid() || !v.CanInterface() || v.IsZero() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return at(x)
	case time.Duration:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Anonymous {
				parts = append(parts, s.text(v.Field(i)))
			} else if text := s.text(v.Field(i)); text != "" {
				s.known[v.Type().Name()+"."+f.Name] = true
				parts = append(parts, f.Name+"="+text)
			}
		}
		return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, s.text(v.Index(i)))
		}
		return "[" + strings.Join(parts, "; ") + "]"
	case reflect.Map:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v.Interface().(map[string]string))) {
			parts = append(parts, name+"="+short(v.MapIndex(reflect.ValueOf(name)).String()))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.String:
		return short(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// short is a text, or its beginning and a hash of it.
func short(text string) string {
	if len(text) <= 60 && !strings.Contains(text, "\n") {
		return text
	}
	return fmt.Sprintf("%.16q… %x", text, sha256.Sum256([]byte(text)))[:40]
}

// all walks pages.
func all[V any](s *summary, what string, read func(ledger.Paging) (ledger.Page[V], error)) (items []V) {
	for cursor := ""; ; {
		page := must(read(ledger.Paging{Cursor: cursor}))(s, what)
		items = append(items, page.Items...)
		if cursor = page.Next; cursor == "" {
			return items
		}
	}
}

func (s *summary) clients() {
	for _, id := range all(s, "clients", func(p ledger.Paging) (ledger.Page[string], error) { return s.ledger.ListClientIDs(s.ctx, p) }) {
		c := must(s.ledger.Client(s.ctx, id))(s, id)
		s.say("client", c)
		for _, k := range must(s.ledger.Keys(s.ctx, c))(s, "keys of "+id) {
			s.say("  key", k)
		}
		for _, key := range []string{c.APIKey, c.OldAPIKey} {
			if key != "" && must(s.ledger.ClientByKey(s.ctx, key, s.at))(s, "client by key").ID != id {
				s.fail("a key of %s is another's", id)
			}
		}
		for _, e := range must(s.ledger.Endpoints(s.ctx, id))(s, "endpoints of "+id) {
			s.say("  endpoint", e)
		}
		s.audit("  ", ledger.AuditQuery{ClientID: id})
		for _, p := range all(s, "payments", func(p ledger.Paging) (ledger.Page[ledger.Payment], error) {
			return s.ledger.ListPayments(s.ctx, id, ledger.PaymentFilter{}, p)
		}) {
			s.payment(p)
		}
	}
}

func (s *summary) payment(p ledger.Payment) {
	what := "payment " + p.Reference
	s.say("payment", p)
	story := must(s.ledger.Story(s.ctx, p.Reference))(s, what)
	for _, r := range story.Refunds {
		s.say("  refund", r)
	}
	for _, d := range story.Deliveries {
		s.say("  delivery", d)
	}
	s.audit("  ", ledger.AuditQuery{Reference: p.Reference})
	// The ways to it.
	if holder := must(s.ledger.ExternalIDHolder(s.ctx, p.ClientID, p.ExternalID))(s, what); holder.Reference == p.Reference {
		s.say("  found by", "its order")
	}
	found := func(by string, payments []ledger.Payment) {
		if slices.ContainsFunc(payments, func(o ledger.Payment) bool { return o.Reference == p.Reference }) {
			s.say("  found by", by)
		}
	}
	find := func(id ledger.ID) []ledger.Payment {
		return must(s.ledger.FindPayments(s.ctx, id))(s, what)
	}
	found("transaction", find(ledger.ID{Transaction: p.FinancialTransactionID}))
	for _, name := range slices.Sorted(maps.Keys(p.IDs)) {
		found(name, find(ledger.ID{Provider: p.Provider, ProviderID: p.IDs[name]}))
	}
	if p.Payer != "" {
		found("payer", all(s, what, func(page ledger.Paging) (ledger.Page[ledger.Payment], error) {
			return s.ledger.ListPayments(s.ctx, "", ledger.PaymentFilter{Payer: p.Payer}, page)
		}))
	}
}

func (s *summary) audit(indent string, q ledger.AuditQuery) {
	for _, a := range all(s, "audit", func(p ledger.Paging) (ledger.Page[ledger.AuditRecord], error) {
		q.Cursor = p.Cursor
		return s.ledger.AuditPage(s.ctx, q)
	}) {
		a.Item = "" // random
		s.say(indent+"audit", a)
	}
}

func (s *summary) lists() {
	for shard := range ledger.DueShards {
		for _, kind := range []ledger.DueKind{ledger.DueDelivery, ledger.DuePayment} {
			for _, d := range all(s, "due", func(p ledger.Paging) (ledger.Page[ledger.Due], error) {
				return s.ledger.Due(s.ctx, ledger.DueQuery{Kind: kind, Shard: shard, Before: s.at.AddDate(1, 0, 0)}, p)
			}) {
				s.say("due "+string(kind), d)
			}
		}
	}
	for _, d := range all(s, "due refunds", func(p ledger.Paging) (ledger.Page[ledger.DueRefund], error) {
		return s.ledger.DueRefunds(s.ctx, s.at.AddDate(1, 0, 0), p)
	}) {
		s.say("due refund", d)
	}
	for _, kind := range []ledger.AttentionKind{ledger.AttentionPayment, ledger.AttentionExhausted, ledger.AttentionHeld, ledger.AttentionEndpoint, ledger.AttentionDisabled, ledger.AttentionRefund} {
		for _, a := range all(s, "inbox", func(p ledger.Paging) (ledger.Page[ledger.Attention], error) {
			return s.ledger.Inbox(s.ctx, ledger.InboxQuery{Kind: kind}, p)
		}) {
			s.say("needs action", a)
		}
	}
	s.say("backlog", *must(s.ledger.Backlog(s.ctx, s.at))(s, "backlog"))
	for _, h := range must(s.ledger.AllHealth(s.ctx))(s, "health") {
		s.say("health", h)
	}
	s.say("heartbeat", must(s.ledger.Heartbeat(s.ctx))(s, "heartbeat"))
}

// named asks for what is found by its name alone.
func (s *summary) named(keys []table.Key) {
	tokens := s.ledger.ProviderTokens(func() time.Time { return s.at })
	done := map[string]bool{}
	for _, k := range keys {
		kind, name, _ := strings.Cut(k.Partition, "#")
		if name == "" || done[k.Partition] {
			continue
		}
		done[k.Partition] = true
		switch kind {
		case "token":
			s.say("token "+name, must(tokens.Load(s.ctx, name))(s, "token"))
		case "account":
			percent, set, err := s.ledger.NewPayments(s.ctx, name, s.at)
			s.say("share "+name, fmt.Sprint(must(percent, err)(s, "share"), "% ", set))
		case "limit":
			// Neither takes anything: nobody gets so much, or waits less than nothing.
			before := s.at.Add(-50 * time.Second)
			if app, ok := strings.CutPrefix(name, "app#"); ok {
				limit := ledger.RequestLimit{Every: time.Millisecond, Burst: 1 << 20}
				full, _, err := s.ledger.LeaseRequests(s.ctx, ledger.RequestLease{ClientID: app, Limit: limit, Count: 1 << 21, Now: before})
				s.say("requests of "+app, must(full, err)(s, "request limit"))
				continue
			}
			slots, _, err := s.ledger.ReserveSlots(s.ctx, ledger.SlotRequest{Limit: ledger.SlotLimit{Name: name, Every: time.Second}, From: before, MaxWait: -1})
			s.say("slots of "+name, must(slots, err)(s, "limit"))
		case "unmatched", "provider":
			hour, err := time.Parse("2006-01-02T15", name)
			if k.Space == table.Audit && must(hour, err)(s, k.Partition) == hour {
				s.say("audit of", k.Partition)
				s.audit("  ", ledger.AuditQuery{Kind: ledger.AuditKind(kind), Hour: hour})
			}
		}
	}
}
