package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Request is a request to pay as an app sends it: texts, not yet checked.
type Request struct {
	Amount       string
	Currency     string // empty: the provider account's
	ExternalID   string
	PartyIDType  string
	PartyID      string
	PayerMessage string
	PayeeNote    string
	CallbackURL  string
	Provider     string // empty: the default
	Account      string // empty: the one of the currency and the payer's market
	// MayUse are the accounts that its app may use; none: all.
	MayUse         []string
	Method         string // empty: the provider's default
	CallbackFormat string // empty: FormatProxy
	Metadata       map[string]string
	Products       []Product // lines of the provider's invoice; nil: none given
	Customer       *Customer // whom the invoice names; nil: nobody
	ExpiresAt      string    // when the payer can no longer pay; empty: as the method has it
	IdempotencyKey string    // from the header; empty: none
	// HasIdempotencyKey: the header was there, if only blank.
	HasIdempotencyKey bool
}

// The forms in which an app may have its callbacks.
const (
	FormatProxy    = "proxy"    // one form for all providers
	FormatProvider = "provider" // the provider's own payloads
)

// Fault is one thing wrong with a request; Message completes a sentence that
// begins with the field's name.
type Fault struct {
	Field   string
	Message string
}

// Limits of a request.
const (
	MaxText           = 160 // characters of payerMessage and payeeNote (MTN)
	MaxMetadataKeys   = 20
	MaxMetadataKey    = 40  // bytes
	MaxMetadataValue  = 200 // bytes
	MaxIdempotencyKey = 255 // bytes
)

// fieldExpiresAt is the only field whose fault may come with time alone.
const fieldExpiresAt = "expiresAt"

// read reads every field and returns all faults at once.
func (g *Gateway) read(ctx context.Context, r Request) (payment.Payment, provider.Invoice, *guard.Guard, []Fault) {
	var faults []Fault
	fault := func(field, message string) { faults = append(faults, Fault{field, message}) }

	prov, none := g.chooseAccount(ctx, r)
	if none != nil {
		return payment.Payment{}, provider.Invoice{}, nil, append(faults, *none)
	}
	caps := prov.Capabilities()
	p := payment.Payment{
		Provider: caps.Name, Account: caps.Account, ExternalID: r.ExternalID, NativeCallbacks: r.CallbackFormat == FormatProvider,
		PayerMessage: r.PayerMessage, PayeeNote: r.PayeeNote, CallbackURL: r.CallbackURL, Metadata: r.Metadata,
	}
	var err error

	if r.Currency != "" && r.Currency != caps.Currency {
		fault("currency", fmt.Sprintf("must be %s for provider %s", caps.Currency, caps.Name))
	}
	if r.Amount == "" {
		fault("amount", "is required")
	} else if p.Amount, err = payment.ParseMoney(r.Amount, caps.Currency); err != nil {
		fault("amount", sentence(err, payment.ErrAmount))
	}
	if m := idFault(r.ExternalID, 1, ledger.MaxExternalID); m != "" {
		fault("externalId", m)
	}
	method, methodFault := chooseMethod(caps, r.Method)
	p.Method = method.Name
	if methodFault != "" {
		fault("method", methodFault)
	}
	if r.PartyIDType == "" && r.PartyID == "" {
		if method.NeedsPayer {
			fault("payer", "is required: an object with partyIdType \"MSISDN\" and partyId")
		}
	} else if r.PartyIDType != "MSISDN" {
		fault("payer.partyIdType", "must be \"MSISDN\"")
	}
	if r.PartyID == "" {
		if r.PartyIDType != "" {
			fault("payer.partyId", "is required")
		}
	} else if p.Payer, err = readPayer(r.PartyID, caps); err != nil {
		fault("payer.partyId", sentence(err, payment.ErrMSISDN))
	}
	if r.CallbackFormat != "" && r.CallbackFormat != FormatProxy && r.CallbackFormat != FormatProvider {
		fault("callbackFormat", fmt.Sprintf("must be %q or %q", FormatProxy, FormatProvider))
	}
	for _, text := range []struct{ field, value string }{{"payerMessage", r.PayerMessage}, {"payeeNote", r.PayeeNote}} {
		if utf8.RuneCountInString(text.value) > MaxText {
			fault(text.field, fmt.Sprintf("must be at most %d characters", MaxText))
		} else if m := textFault(text.value, 0, 4*MaxText); m != "" {
			fault(text.field, m)
		}
	}
	if r.CallbackURL != "" {
		if err := g.CheckURL(r.CallbackURL); err != nil {
			fault("callbackUrl", strings.TrimSuffix(strings.TrimPrefix(err.Error(), "The URL "), "."))
		}
	}
	faults = append(faults, metadataFaults(r.Metadata)...)
	invoice, wrong := invoiceOf(r, p.Amount, caps, method)
	faults = append(faults, wrong...)
	at, m := expiryOf(r.ExpiresAt, g.now(), caps, method)
	if p.ExpiresAt = at; m != "" {
		fault(fieldExpiresAt, m)
	}
	if r.HasIdempotencyKey && strings.TrimSpace(r.IdempotencyKey) == "" {
		fault("Idempotency-Key", "must not be blank; leave the header out to do without")
	} else if m := idFault(r.IdempotencyKey, 0, MaxIdempotencyKey); m != "" {
		fault("Idempotency-Key", m)
	}
	return p, invoice, prov, faults
}

// readPayer reads a payer's number by the account's plan, or as one of the
// provider's test payers.
func readPayer(partyID string, caps provider.Capabilities) (payment.MSISDN, error) {
	if caps.TestPayer != nil {
		if digits, err := payment.CleanMSISDN(partyID); err == nil && caps.TestPayer(digits) {
			return payment.MSISDN(digits), nil
		}
	}
	return payment.ParseMSISDN(partyID, caps.Plan)
}

// chooseMethod finds the method asked for. With a fault it returns a method
// to read the rest of the request by.
func chooseMethod(caps provider.Capabilities, name string) (provider.Method, string) {
	var on []string
	for _, m := range caps.Methods {
		if m.Name == "" {
			if name != "" {
				return m, fmt.Sprintf("is not used by provider %s; leave it out", caps.Name)
			}
			return m, ""
		}
		if !m.Off {
			on = append(on, m.Name)
			if m.Name == name || name == "" && m.Name == caps.DefaultMethod {
				return m, ""
			}
		}
	}
	known := strings.Join(on, ", ")
	if name == "" {
		return provider.Method{}, fmt.Sprintf("is required by provider %s: %s", caps.Name, known)
	}
	return provider.Method{}, fmt.Sprintf("must be one of provider %s's: %s", caps.Name, known)
}

func metadataFaults(metadata map[string]string) []Fault {
	var faults []Fault
	if len(metadata) > MaxMetadataKeys {
		faults = append(faults, Fault{"metadata", fmt.Sprintf("must have at most %d entries", MaxMetadataKeys)})
	}
	for _, k := range slices.Sorted(maps.Keys(metadata)) {
		v := metadata[k]
		if m := idFault(k, 1, MaxMetadataKey); m != "" {
			faults = append(faults, Fault{"metadata", "has a name that " + m})
		}
		if m := textFault(v, 0, MaxMetadataValue); m != "" {
			faults = append(faults, Fault{"metadata." + k, m})
		}
	}
	return faults
}

// textFault says what is wrong with a text of min to max bytes.
func textFault(s string, min, max int) string {
	switch {
	case s == "" && min > 0:
		return "is required"
	case len(s) > max:
		return fmt.Sprintf("must be at most %d bytes", max)
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "must not contain control characters"
	case min > 0 && strings.TrimSpace(s) == "":
		return "must not be blank"
	}
	return ""
}

// idFault says what is wrong with a text that names something: two that look
// the same must be the same. It is compared byte for byte; no Unicode
// normalisation is applied.
func idFault(s string, min, max int) string {
	if m := textFault(s, min, max); m != "" || s == "" {
		return m
	}
	switch {
	case strings.TrimSpace(s) != s:
		return "must not begin or end with white space"
	case strings.ContainsFunc(s, invisible):
		return "must not contain invisible characters, or white space other than a plain space"
	}
	return ""
}

// invisible says whether a character shows nothing: formats (bidi marks and
// zero-width characters among them), fillers, variation selectors, code points
// that are no characters, and white space that looks like a plain space. U+FFFD
// stands for bytes that were lost.
func invisible(r rune) bool {
	return r != ' ' && unicode.IsSpace(r) || r == utf8.RuneError || r == '\u2800' ||
		unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Noncharacter_Code_Point, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// sentence drops the sentinel's own words from an error's text.
func sentence(err, sentinel error) string {
	if errors.Is(err, sentinel) {
		return strings.TrimPrefix(err.Error(), sentinel.Error()+": ")
	}
	return err.Error()
}

// requestHash identifies the content of a request after reading it, with the
// account that it names. So spacing, "+268…" or the order of JSON fields make
// no other request of it.
func requestHash(p payment.Payment, account string, invoice provider.Invoice) string {
	fields := []any{
		p.Provider, p.Method, p.Amount.Minor, p.Amount.Currency, p.ExternalID, p.Payer,
		p.PayerMessage, p.PayeeNote, p.CallbackURL, p.Metadata, p.NativeCallbacks,
	}
	if account != "" {
		fields = append(fields, account)
	}
	if len(invoice.Lines) > 0 || invoice.Customer != (provider.Customer{}) {
		fields = append(fields, invoice)
	}
	if !p.ExpiresAt.IsZero() {
		fields = append(fields, p.ExpiresAt)
	}
	content, _ := json.Marshal(fields) // strings, integers, maps and a time: always marshals
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:16])
}

// Faults lists what else is wrong with a request whose form is already at
// fault, leaving out the fields named there, so that an app learns all at
// once.
func (g *Gateway) Faults(ctx context.Context, r Request, known []Fault) []Fault {
	_, _, _, faults := g.read(ctx, r)
	named := map[string]bool{}
	for _, f := range known {
		named[f.Field] = true
		named[strings.SplitN(f.Field, ".", 2)[0]] = true
	}
	var more []Fault
	for _, f := range faults {
		if !named[f.Field] && !named[strings.SplitN(f.Field, ".", 2)[0]] {
			more = append(more, f)
		}
	}
	return more
}
