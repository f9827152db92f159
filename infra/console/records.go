package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/operator"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
)

// records reads what the ledger keeps and turns it into the pages' own types.
// This file and operator.go are the only ones here that know the ledger.
type records struct {
	ledger *ledger.Ledger
	queue  queue.Queue
	now    func() time.Time
}

const (
	pageSize = 100
	// mostRead bounds the payments that one page looks at to find those that
	// a filter lets through.
	mostRead = 2000
	// dueHorizon is beyond every next attempt.
	dueHorizon = 30 * 24 * time.Hour
	// mostHeld bounds how many held deliveries are counted for an endpoint.
	mostHeld = 1000
)

// apps lists every client, by name.
func (r *records) apps(ctx context.Context) ([]App, error) {
	var all []App
	for cursor := ""; ; {
		ids, err := r.ledger.ListClientIDs(ctx, ledger.Paging{Limit: ledger.MaxListed, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, id := range ids.Items {
			a, err := r.app(ctx, id)
			if errors.Is(err, ledger.ErrNotFound) {
				continue // the index lags
			}
			if err != nil {
				return nil, err
			}
			all = append(all, a)
		}
		if cursor = ids.Next; ids.Next == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b App) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all, nil
}

func (r *records) app(ctx context.Context, id string) (App, error) {
	c, err := r.ledger.Client(ctx, id)
	if errors.Is(err, ledger.ErrCorrupt) {
		return App{ID: id, Name: id, Unreadable: true}, nil
	}
	if err != nil {
		return App{}, err
	}
	a := App{ID: c.ID, Name: c.Name, Active: c.Active, CallbackURL: withoutQuery(c.CallbackURL), CreatedAt: c.CreatedAt}
	if len(c.LiveSecrets(r.now())) > 1 {
		a.OldSecretUntil = c.OldSecretUntil
	}
	keys, err := r.ledger.Keys(ctx, c)
	if err != nil {
		return App{}, err
	}
	for i, k := range keys {
		if k.LastUsedAt.After(a.KeyUsedAt) {
			a.KeyUsedAt = k.LastUsedAt
		}
		if i > 0 && r.now().Before(k.Until) {
			a.OldKeyUntil = k.Until
		}
	}
	return a, nil
}

// place is where a list of payments goes on: behind this payment.
type place struct {
	At        time.Time `json:"t"`
	Reference string    `json:"r"`
}

func (p place) String() string {
	if p.Reference == "" {
		return ""
	}
	b, _ := json.Marshal(p) // always marshals
	return base64.RawURLEncoding.EncodeToString(b)
}

func readPlace(text string) (p place, err error) {
	if text == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, refusal("The list cannot go on from there. Load it anew.")
	}
	return p, nil
}

// before orders payments: newest first, and by reference where two are as new.
func before(a, b place) bool {
	if !a.At.Equal(b.At) {
		return a.At.After(b.At)
	}
	return a.Reference > b.Reference
}

// payments lists the payments of all apps (or of one), newest first, from the
// place given on. It reads at most mostRead to find limit that match lets
// through; the place returned, if any, goes on.
func (r *records) payments(ctx context.Context, apps []App, only string, from, since place, limit int, match func(Payment) bool) ([]Payment, place, error) {
	var found []Payment
	for read := 0; ; {
		page, more, err := r.merge(ctx, apps, only, from, since)
		if err != nil {
			return nil, place{}, err
		}
		for _, p := range page {
			from = place{p.CreatedAt, p.Reference}
			if read++; match == nil || match(p) {
				found = append(found, p)
			}
			if len(found) == limit {
				return found, from, nil
			}
		}
		switch {
		case !more:
			return found, place{}, nil
		case read >= mostRead:
			return found, from, nil
		}
	}
}

// merge reads the next payments of each app and returns those whose order
// among all of them is certain.
func (r *records) merge(ctx context.Context, apps []App, only string, from, since place) ([]Payment, bool, error) {
	var all []Payment
	horizon, more := place{}, false
	for _, app := range apps {
		if only != "" && app.ID != only {
			continue
		}
		f := ledger.PaymentFilter{From: since.At}
		if from.Reference != "" {
			f.To = from.At.Add(time.Millisecond) // several may be as new
		}
		for cursor := ""; ; {
			page, err := r.ledger.ListPayments(ctx, app.ID, f, ledger.Paging{Limit: pageSize, Cursor: cursor})
			if err != nil {
				return nil, false, err
			}
			taken := 0
			for _, p := range page.Items {
				at := place{p.CreatedAt, p.Reference}
				if from.Reference == "" || before(from, at) {
					all = append(all, viewOfPayment(p, app.Name, r.now()))
					taken++
				}
			}
			if page.Next == "" {
				break
			}
			if taken > 0 {
				more = true
				last := page.Items[len(page.Items)-1]
				if at := (place{last.CreatedAt, last.Reference}); horizon.Reference == "" || before(at, horizon) {
					horizon = at
				}
				break
			}
			cursor = page.Next
		}
	}
	slices.SortFunc(all, func(a, b Payment) int {
		if before(place{a.CreatedAt, a.Reference}, place{b.CreatedAt, b.Reference}) {
			return -1
		}
		return 1
	})
	if more {
		all = slices.DeleteFunc(all, func(p Payment) bool { return before(horizon, place{p.CreatedAt, p.Reference}) })
	}
	return all, more, nil
}

// payment reads one payment.
func (r *records) payment(ctx context.Context, reference string) (Payment, error) {
	p, err := r.ledger.Payment(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return Payment{}, notFound
	}
	if err != nil {
		return Payment{}, err
	}
	return viewOfPayment(p, r.nameOf(ctx, p.ClientID), r.now()), nil
}

// story reads a payment with all that happened to it.
func (r *records) story(ctx context.Context, reference string) (Story, error) {
	s, err := r.ledger.Story(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return Story{}, notFound
	}
	if err != nil {
		return Story{}, err
	}
	trail, err := r.ledger.AuditTrail(ctx, s.Payment.Reference)
	if err != nil {
		return Story{}, err
	}
	name, url := r.nameOf(ctx, s.Payment.ClientID), ""
	if c, err := r.ledger.RecentClient(ctx, s.Payment.ClientID, r.now()); err == nil {
		url = c.CallbackURL
	}
	story := Story{Payment: viewOfPayment(s.Payment, name, r.now())}
	for _, d := range s.Deliveries {
		v := viewOfDelivery(d, name, s.Payment.ExternalID)
		if v.URL == "" {
			v.URL = withoutQuery(url)
		}
		story.Deliveries = append(story.Deliveries, v)
	}
	for _, a := range s.Attempts {
		story.Attempts = append(story.Attempts, Attempt{
			a.Sequence, a.Number, string(a.Cause), a.Started, a.Duration, a.Code, a.Error, a.Excerpt, a.Location, a.TLSFault,
		})
	}
	for _, a := range trail {
		story.Exchanges = append(story.Exchanges, viewOfExchange(a))
	}
	return story, nil
}

// nameOf is an app's name, or its id where the name cannot be read.
func (r *records) nameOf(ctx context.Context, id string) string {
	if c, err := r.ledger.RecentClient(ctx, id, r.now()); err == nil && c.Name != "" {
		return c.Name
	}
	return id
}

// deliveriesOf reads the deliveries of one payment.
func (r *records) deliveriesOf(ctx context.Context, p Payment) ([]Delivery, error) {
	found, err := r.ledger.Deliveries(ctx, p.Reference)
	if err != nil {
		return nil, err
	}
	var all []Delivery
	for _, d := range found {
		all = append(all, viewOfDelivery(d, p.AppName, p.Order))
	}
	return all, nil
}

// stuck lists deliveries that are held or exhausted, of all apps.
func (r *records) stuck(ctx context.Context, apps []App, states []string, limit int, cursor string) ([]Delivery, string, error) {
	f := ledger.DeliveryFilter{}
	for _, s := range states {
		f.States = append(f.States, delivery.State(s))
	}
	var all []Delivery
	for {
		found, err := r.ledger.ListDeliveries(ctx, f, ledger.Paging{Limit: min(limit-len(all), ledger.MaxListed), Cursor: cursor})
		if errors.Is(err, ledger.ErrCursor) {
			return nil, "", refusal("The list cannot go on from there. Load it anew.")
		}
		if err != nil {
			return nil, "", err
		}
		for _, d := range found.Items {
			all = append(all, viewOfDelivery(d, nameOf(apps, d.ClientID), ""))
		}
		if cursor = found.Next; found.Next == "" || len(all) >= limit {
			return all, found.Next, nil
		}
	}
}

// failing lists deliveries that are tried again after an attempt that failed,
// newest first. It reads at most limit that have an attempt to come.
func (r *records) failing(ctx context.Context, apps []App, limit int) ([]Delivery, error) {
	var all []Delivery
	for shard, left := 0, limit; shard < ledger.DueShards && left > 0; shard++ {
		due, err := r.ledger.Due(ctx, ledger.DueQuery{Kind: ledger.DueDelivery, Shard: shard, Before: r.now().Add(dueHorizon)}, ledger.Paging{Limit: left})
		if err != nil {
			return nil, err
		}
		left -= len(due.Items)
		for _, at := range due.Items {
			d, err := r.ledger.Delivery(ctx, at.Reference, at.Sequence)
			if errors.Is(err, ledger.ErrNotFound) {
				continue // the index lags
			}
			if err != nil {
				return nil, err
			}
			if d.State == delivery.Due && d.Claims > 0 {
				all = append(all, viewOfDelivery(d, nameOf(apps, d.ClientID), ""))
			}
		}
	}
	slices.SortFunc(all, func(a, b Delivery) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, nil
}

// nameOf is an app's name, or its id.
func nameOf(apps []App, id string) string {
	if i := slices.IndexFunc(apps, func(a App) bool { return a.ID == id }); i >= 0 {
		return apps[i].Name
	}
	return id
}

// waiting lists the payments that wait for the provider's answer or for a
// person, oldest first.
func (r *records) waiting(ctx context.Context, apps []App, limit int) ([]Payment, error) {
	found, err := operator.Operator{Ledger: r.ledger}.PaymentsWaiting(ctx, "", ledger.Paging{Limit: limit})
	if err != nil {
		return nil, err
	}
	var all []Payment
	for _, p := range found.Items {
		all = append(all, viewOfPayment(p, nameOf(apps, p.ClientID), r.now()))
	}
	return all, nil
}

// endpoints lists every app's endpoints: those that have ever failed, and the
// one of its callback URL.
func (r *records) endpoints(ctx context.Context, apps []App) ([]Endpoint, error) {
	all := []Endpoint{}
	for _, app := range apps {
		found, err := r.ledger.Endpoints(ctx, app.ID)
		if err != nil {
			return nil, err
		}
		own := delivery.Origin(app.CallbackURL)
		if own != "" && !slices.ContainsFunc(found, func(e delivery.Endpoint) bool { return e.Origin == own }) {
			found = append(found, delivery.Endpoint{ClientID: app.ID, Origin: own, State: delivery.EndpointClosed})
		}
		for _, e := range found {
			v := Endpoint{
				App: app.ID, AppName: app.Name, Origin: e.Origin, State: string(e.State), Reason: e.DisabledReason, Failures: e.Failures,
				FailingSince: e.FailingSince, OpenedAt: e.OpenedAt, ProbeAt: e.ProbeAt, DisabledAt: e.DisabledAt, ClosedAt: e.ClosedAt,
			}
			if e.State != delivery.EndpointClosed {
				held, err := r.ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionHeld, ClientID: e.ClientID, Endpoint: e.Origin}, ledger.Paging{Limit: mostHeld})
				if err != nil {
					return nil, err
				}
				v.Held, v.HeldMore = len(held.Items), held.Next != ""
			}
			all = append(all, v)
		}
	}
	return all, nil
}

// circuit reads the state of one provider's circuit.
func (r *records) circuit(ctx context.Context, name string) (Provider, error) {
	h, err := r.ledger.FreshHealth(ctx, name)
	if err != nil {
		return Provider{}, err
	}
	return Provider{
		Name: name, DisplayName: providerName(name), CircuitOpen: h.Open(), OpenFor: h.OpenFor, OpenedAt: h.OpenedAt,
		ProbeAt: h.ProbeAt(), Failures: h.Failures(),
	}, nil
}

// backlog counts what stands where.
func (r *records) backlog(ctx context.Context) (backlog, error) {
	c, err := r.ledger.Backlog(ctx, r.now())
	if err != nil {
		return backlog{}, err
	}
	b := backlog{
		unknown: c.UnknownPayments, held: c.HeldDeliveries, exhausted: c.ExhaustedDeliveries, due: c.DueDeliveries,
		oldestUnknown: c.OldestUnknown, oldestOverdue: c.OldestOverdue, truncated: c.Truncated,
	}
	if b.queued, b.dead, err = r.queue.Depth(ctx); err != nil {
		return b, err
	}
	b.heartbeat, err = r.ledger.Heartbeat(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		err = nil
	}
	return b, err
}

// find looks up what a person typed, in every place that has an index: a
// reference, a provider's id, a transaction, a payer's whole number, an order.
func (r *records) find(ctx context.Context, apps []App, names []string, text string) ([]Payment, error) {
	seen := map[string]bool{}
	var all []Payment
	add := func(found ...ledger.Payment) {
		for _, p := range found {
			if p.Reference != "" && !seen[p.Reference] {
				seen[p.Reference] = true
				all = append(all, viewOfPayment(p, r.nameOf(ctx, p.ClientID), r.now()))
			}
		}
	}
	p, err := r.ledger.Payment(ctx, text)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, err
	}
	add(p)
	for _, name := range names {
		found, err := r.ledger.FindPayments(ctx, ledger.ID{Provider: name, ProviderID: text})
		if err != nil {
			return nil, err
		}
		add(found...)
	}
	found, err := r.ledger.FindPayments(ctx, ledger.ID{Transaction: text})
	if err != nil {
		return nil, err
	}
	add(found...)
	if number, err := payment.CleanMSISDN(text); err == nil {
		found, err := r.ledger.ListPayments(ctx, "", ledger.PaymentFilter{Payer: payment.MSISDN(number)}, ledger.Paging{Limit: pageSize})
		if err != nil {
			return nil, err
		}
		add(found.Items...)
	}
	if len(text) > ledger.MaxExternalID {
		return all, nil
	}
	for _, app := range apps {
		found, err := r.ledger.ListPayments(ctx, app.ID, ledger.PaymentFilter{ExternalID: text}, ledger.Paging{Limit: pageSize})
		if err != nil {
			return nil, err
		}
		add(found.Items...)
	}
	return all, nil
}

func viewOfPayment(p ledger.Payment, appName string, now time.Time) Payment {
	v := Payment{
		Reference: p.Reference, App: p.ClientID, AppName: appName, Order: p.ExternalID, Provider: p.Provider,
		ProviderName: providerName(p.Provider), Account: p.AccountID(), Method: p.Method, Amount: money(p.Amount.Decimal(), p.Amount.Currency),
		PayerMessage: p.PayerMessage, PayeeNote: p.PayeeNote, Metadata: p.Metadata, ProviderIDs: p.IDs, Instructions: p.Instructions,
		InvoiceURL: p.InvoiceURL, Status: string(p.Status), Phase: string(p.Phase), Reason: p.Reason, FailureCode: p.FailureCode,
		TransactionID: p.FinancialTransactionID, EndedBy: string(p.EndedBy), CreatedAt: p.CreatedAt, EndedAt: p.EndedAt,
		CheckedAt: p.CheckedAt, NextCheckAt: p.NextCheckAt, ExpiresAt: p.ExpiresAt, SubmittedBy: p.SubmitDeadline,
		Checks: p.Checks, Accepted: p.Accepted, Unanswerable: p.Unanswerable, number: string(p.Payer),
		mayDouble: gateway.MayDouble(p, payment.SaysFailed, now), needsLook: gateway.NeedsLook(p, payment.SaysFailed),
	}
	if p.Payer != "" {
		v.Payer = p.Payer.Masked()
	}
	return v
}

func viewOfDelivery(d delivery.Delivery, appName, order string) Delivery {
	return Delivery{
		Reference: d.Reference, Sequence: d.Sequence, App: d.ClientID, AppName: appName, Order: order, EventID: d.EventID,
		Event: string(d.Event), State: string(d.State), HeldReason: d.HeldReason, HeldFor: d.Endpoint, URL: withoutQuery(d.URL),
		Attempts: d.Claims, LastCode: d.Last().Code, LastError: d.Last().Error, CreatedAt: d.CreatedAt, DeliveredAt: d.DeliveredAt,
		NextAttemptAt: d.NextAttemptAt, AskedAt: d.RequestedAt, body: d.Body,
	}
}

func viewOfExchange(a ledger.AuditRecord) Exchange {
	e := Exchange{
		At: a.At, Method: a.Method, URL: a.URL, Request: a.RequestBody, Code: a.ResponseCode, Answer: a.ResponseBody, Kind: a.Answer,
		Took: a.Duration, Note: a.Note, Unproven: a.Unproven,
	}
	switch a.Direction {
	case ledger.InboundFromApp:
		e.From, e.To = laneApp, laneProxy
	case ledger.OutboundToProvider:
		e.From, e.To = laneProxy, laneProvider
	case ledger.InboundFromProvider:
		e.From, e.To = laneProvider, laneProxy
	case ledger.OutboundToApp:
		e.From, e.To = laneProxy, laneApp
	}
	return e
}

// withoutQuery drops what may hold an app's own token.
func withoutQuery(url string) string {
	bare, _, _ := strings.Cut(url, "?")
	return bare
}

// signs are how people write an amount of a currency.
var signs = map[string]string{"SZL": "E", "ZAR": "R"}

func money(decimal, currency string) string {
	if sign, ok := signs[currency]; ok {
		return sign + decimal
	}
	return decimal + " " + currency
}

// titles are the providers' names as people write them.
var titles = func() map[string]string {
	all := map[string]string{}
	for _, r := range providers.All() {
		all[r.Name] = r.Title
	}
	return all
}()

func providerName(name string) string {
	if title, ok := titles[name]; ok {
		return title
	}
	return name
}

var statusWords = func() (words []string) {
	for _, s := range payment.Statuses {
		words = append(words, string(s))
	}
	return words
}()
