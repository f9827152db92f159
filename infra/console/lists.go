package console

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

type paymentList struct {
	Payments []row  `json:"payments"`
	Next     string `json:"next,omitempty"`
}

// paymentList lists payments, newest first, by status, app, provider, or only
// those that wait for an answer or a person.
func (c *Console) paymentList(ctx context.Context, param func(string) string) (any, error) {
	apps, err := c.records.apps(ctx)
	if err != nil {
		return nil, err
	}
	if param("needs") != "" {
		found, err := c.records.waiting(ctx, apps, pageSize)
		if err != nil {
			return nil, err
		}
		rows, err := c.rows(ctx, found)
		return paymentList{Payments: rows}, err
	}
	from, err := readPlace(param("after"))
	if err != nil {
		return nil, err
	}
	status, provider := param("status"), param("provider")
	match := func(p Payment) bool {
		return (status == "" || p.Status == status || status == "OPEN" && p.Open()) && (provider == "" || p.Provider == provider)
	}
	found, next, err := c.records.payments(ctx, apps, param("app"), from, place{}, pageSize, match)
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(ctx, found)
	return paymentList{rows, next.String()}, err
}

type deliveryList struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty"`
}

// deliveryList lists deliveries: those that need action by
// their index, any others by way of the payments, newest first.
func (c *Console) deliveryList(ctx context.Context, param func(string) string) (any, error) {
	apps, err := c.records.apps(ctx)
	if err != nil {
		return nil, err
	}
	state := param("state")
	v := deliveryList{Deliveries: []Delivery{}}
	if stuck := map[string][]string{
		"failed": {stateExhausted, stateHeld}, stateExhausted: {stateExhausted}, stateHeld: {stateHeld},
	}[state]; stuck != nil {
		found, next, err := c.records.stuck(ctx, apps, stuck, pageSize, param("after"))
		if err != nil {
			return nil, err
		}
		if state == "failed" && param("after") == "" {
			again, err := c.records.failing(ctx, apps, pageSize)
			if err != nil {
				return nil, err
			}
			found = append(again, found...)
		}
		for i, d := range found {
			if p, err := c.records.payment(ctx, d.Reference); err == nil {
				found[i].Order = p.Order
			}
		}
		v.Deliveries, v.Next = append(v.Deliveries, found...), next
		return v, nil
	}
	from, err := readPlace(param("after"))
	if err != nil {
		return nil, err
	}
	ended := func(p Payment) bool { return !p.Open() }
	payments, next, err := c.records.payments(ctx, apps, param("app"), from, place{}, pageSize, ended)
	if err != nil {
		return nil, err
	}
	for _, p := range payments {
		found, err := c.records.deliveriesOf(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, d := range slices.Backward(found) {
			if state == "" || d.State == state || state == "going" && (d.State == stateDue || d.State == stateWaiting) {
				v.Deliveries = append(v.Deliveries, d)
			}
		}
	}
	v.Next = next.String()
	return v, nil
}

func (c *Console) endpointList(ctx context.Context) (any, error) {
	apps, err := c.records.apps(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.records.endpoints(ctx, apps)
	return struct {
		Endpoints []Endpoint `json:"endpoints"`
	}{all}, err
}

func (c *Console) appList(ctx context.Context) (any, error) {
	apps, err := c.records.apps(ctx)
	return struct {
		Apps []App `json:"apps"`
	}{apps}, err
}

// searchResult is what was found, and where it was looked for.
type searchResult struct {
	Query    string `json:"query"`
	Payments []row  `json:"payments"`
	// Number: the query may be the end of a payer's number. Those are looked
	// for among the payments of the last days alone: whole numbers have an
	// index.
	Number bool `json:"number,omitempty"`
	Among  int  `json:"among,omitempty"`
	// Part: nothing is exactly like the query, and these orders of the last
	// days have it in them.
	Part bool `json:"part,omitempty"`
}

const (
	// shortestNumber is how many digits of a payer's number are needed.
	shortestNumber = 6
	// shortestPart is how many bytes of an order are needed.
	shortestPart = 3
)

// search finds payments by reference, order, provider's id or payer's number.
func (c *Console) search(ctx context.Context, text string) (any, error) {
	text = strings.TrimSpace(text)
	v := searchResult{Query: text, Payments: []row{}}
	if text == "" {
		return v, nil
	}
	apps, err := c.records.apps(ctx)
	if err != nil {
		return nil, err
	}
	found, err := c.records.find(ctx, apps, c.Providers, text)
	if err != nil {
		return nil, err
	}
	all, _, err := c.recent.all(ctx, apps, c.Every)
	if err != nil {
		return nil, err
	}
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "").Replace(text)
	if len(digits) >= shortestNumber && strings.Trim(digits, "0123456789") == "" {
		v.Number, v.Among = true, len(all)
	}
	v.Part = len(found) == 0 && len(text) >= shortestPart
	part := strings.ToLower(text)
	for _, p := range all {
		byPart := v.Part && strings.Contains(strings.ToLower(p.Order), part)
		byNumber := v.Number && strings.HasSuffix(p.number, strings.TrimPrefix(digits, "0"))
		if (byNumber || byPart) && !slices.ContainsFunc(found, func(f Payment) bool { return f.Reference == p.Reference }) {
			found = append(found, p)
		}
		if len(found) >= pageSize {
			break
		}
	}
	v.Payments, err = c.rows(ctx, found)
	return v, err
}

func urlEncoded(text string) string { return url.QueryEscape(text) }
