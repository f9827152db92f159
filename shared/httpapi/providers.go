package httpapi

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// providersBody is what an app may ask for, and of whom.
type providersBody struct {
	Accounts []accountBody `json:"accounts"`
	Limits   limitsBody    `json:"limits"`
}

type accountBody struct {
	Provider   string                `json:"provider"`
	Account    string                `json:"account"`
	Status     gateway.AccountStatus `json:"status"`
	Evidence   evidenceBody          `json:"evidence"`
	Currency   string                `json:"currency"`
	Country    *string               `json:"country"` // null: of any
	Production bool                  `json:"production"`
	Amount     amountBody            `json:"amount"`
	Methods    []methodBody          `json:"methods"`
	Operations []string              `json:"operations"`
}

// evidenceBody is of the app's own payments of the last minutes.
type evidenceBody struct {
	WindowSeconds      int         `json:"windowSeconds"`
	Payments           int         `json:"payments"`
	UnknownShare       json.Number `json:"unknownShare"`
	MedianSecondsToEnd *int        `json:"medianSecondsToEnd"` // null: none has ended
	LastSuccessAt      *string     `json:"lastSuccessAt"`
	UnavailableSince   *string     `json:"unavailableSince"`
}

type amountBody struct {
	Minimum  string `json:"minimum"`
	Maximum  string `json:"maximum"`
	Decimals int    `json:"decimals"`
}

type methodBody struct {
	Method         *string  `json:"method"` // null: the provider's only one, which has no name
	Default        bool     `json:"default"`
	RequiredFields []string `json:"requiredFields"`
}

// limitsBody is made of the constants that check a request to pay.
type limitsBody struct {
	BodyBytes           int `json:"bodyBytes"`
	ExternalIDBytes     int `json:"externalIdBytes"`
	TextCharacters      int `json:"textCharacters"`
	MetadataEntries     int `json:"metadataEntries"`
	MetadataNameBytes   int `json:"metadataNameBytes"`
	MetadataValueBytes  int `json:"metadataValueBytes"`
	CallbackURLBytes    int `json:"callbackUrlBytes"`
	IdempotencyKeyBytes int `json:"idempotencyKeyBytes"`
}

var limits = limitsBody{
	BodyBytes: MaxBody, ExternalIDBytes: ledger.MaxExternalID, TextCharacters: gateway.MaxText,
	MetadataEntries: gateway.MaxMetadataKeys, MetadataNameBytes: gateway.MaxMetadataKey, MetadataValueBytes: gateway.MaxMetadataValue,
	CallbackURLBytes: webhook.MaxURLLength, IdempotencyKeyBytes: gateway.MaxIdempotencyKey,
}

// listProviders handles GET /providers.
func (c *Collection) listProviders(ctx context.Context, r Request) Response {
	client, refused := c.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	states, err := c.Gateway.AccountStates(ctx, client)
	if err != nil {
		c.Log.ErrorContext(ctx, "providers.failed", "client", client.ID, "error", err.Error())
		return fromError(err)
	}
	body := providersBody{Accounts: make([]accountBody, 0, len(states)), Limits: limits}
	for _, s := range states {
		body.Accounts = append(body.Accounts, accountOf(s))
	}
	return respond(200, body)
}

func accountOf(s gateway.AccountState) accountBody {
	decimals, _ := payment.Exponent(s.Currency)
	b := accountBody{
		Provider: s.Name, Account: s.ID(), Status: s.Status, Currency: s.Currency, Production: s.Production,
		Amount: amountBody{
			Minimum: payment.Money{Minor: payment.MinMinor, Currency: s.Currency}.Decimal(),
			Maximum: payment.Money{Minor: payment.MaxMinor, Currency: s.Currency}.Decimal(), Decimals: decimals,
		},
		Operations: []string{"request_to_pay", "status"},
		Evidence: evidenceBody{
			WindowSeconds: int(ledger.RecentWindow.Seconds()), Payments: s.Recent.Payments, UnknownShare: share(s.Recent.Unknown, s.Recent.Payments),
			LastSuccessAt: orNull(timestamp(s.Recent.LastSuccess)), UnavailableSince: orNull(timestamp(s.OpenSince)),
		},
	}
	if s.Recent.Ended > 0 {
		seconds := int(s.Recent.MedianToEnd.Round(time.Second).Seconds())
		b.Evidence.MedianSecondsToEnd = &seconds
	}
	if s.Plan != payment.PlanAnyMarket {
		b.Country = orNull(string(s.Plan))
	}
	if s.ChecksPayers {
		b.Operations = append(b.Operations, "check_payer")
	}
	for _, m := range s.Methods {
		if m.Off {
			continue
		}
		fields := []string{"amount", "externalId"}
		if m.NeedsPayer {
			fields = append(fields, "payer")
		}
		isDefault := m.Name == s.DefaultMethod
		if !isDefault {
			fields = append(fields, "method")
		}
		b.Methods = append(b.Methods, methodBody{Method: orNull(m.Name), Default: isDefault, RequiredFields: fields})
	}
	return b
}

// share is a part of a whole, to two places.
func share(part, whole int) json.Number {
	if whole == 0 {
		return "0"
	}
	return json.Number(strconv.FormatFloat(math.Round(100*float64(part)/float64(whole))/100, 'f', -1, 64))
}
