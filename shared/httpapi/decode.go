package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"momoproxy/shared/gateway"
)

// maxDepth bounds the nesting of a request body; ours needs three.
const maxDepth = 8

// errJSON is a body that is no JSON object.
var errJSON = errors.New("not a JSON object")

// object is a JSON object with the order of its keys and with repeats.
type object struct {
	members []member
}

type member struct {
	name  string
	value any // string, json.Number, bool, nil, object, []any
}

// parseObject reads one JSON object and nothing after it. It keeps repeated
// keys apart, which encoding/json's maps would hide: two systems that pick
// different ones would disagree on the amount.
func parseObject(body []byte) (object, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // a byte order mark
	if !utf8.Valid(body) {
		return object{}, fmt.Errorf("%w: it is not valid UTF-8", errJSON)
	}
	if at := unpairedSurrogate(body); at >= 0 {
		return object{}, fmt.Errorf("%w: %s is half of a surrogate pair, at %s", errJSON, body[at:at+6], position(body, at))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err != nil {
		return object{}, fmt.Errorf("%w: %s", errJSON, jsonFault(body, err))
	}
	o, ok := v.(object)
	if !ok {
		return object{}, fmt.Errorf("%w: it must be an object in braces", errJSON)
	}
	if _, err := dec.Token(); err != io.EOF {
		return object{}, fmt.Errorf("%w: something follows the object", errJSON)
	}
	return o, nil
}

// unpairedSurrogate returns where an escape names half of a surrogate pair, or
// -1. encoding/json reads every such escape as the same character, so that two
// different texts would become one.
func unpairedSurrogate(body []byte) int {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		unit, ok := escapedUnit(body[i:])
		switch {
		case !ok:
			i++ // another escape
		case utf16.IsSurrogate(unit):
			second, _ := escapedUnit(body[i+6:])
			if utf16.DecodeRune(unit, second) == utf8.RuneError {
				return i
			}
			i += 11
		default:
			i += 5
		}
	}
	return -1
}

// escapedUnit reads \uXXXX at the start of b.
func escapedUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// position names a place in the body as an editor does; both count from 1, the
// column in characters.
func position(body []byte, at int) string {
	before := body[:min(max(at, 0), len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}

func jsonFault(body []byte, err error) string {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		// The decoder counts to the character that does not fit, or past it.
		at := int(syntax.Offset)
		if at >= len(body) || !strings.HasPrefix(syntax.Error(), "invalid character "+strconv.QuoteRune(rune(body[at]))) {
			at--
		}
		if fault, known := commaFault(body, at, syntax.Error()); known {
			return fault
		}
		return fmt.Sprintf("%s, at %s", syntax.Error(), position(body, at))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return err.Error()
}

// commaFault names the slips that hand-made JSON mostly has: a comma too many,
// or one too few. at is where the decoder stopped, and said what it says.
func commaFault(body []byte, at int, said string) (string, bool) {
	if at < 0 || at >= len(body) {
		return "", false
	}
	before := bytes.TrimRight(body[:at], " \t\r\n")
	if len(before) == 0 {
		return "", false
	}
	last := before[len(before)-1]
	switch c := body[at]; {
	case (c == '}' || c == ']') && last == ',':
		return fmt.Sprintf("there is a comma before the closing %q, at %s", c, position(body, len(before)-1)), true
	case c == ',' && strings.IndexByte("{[,", last) >= 0:
		return "there is a comma too many, at " + position(body, at), true
	case c == '"' && (strings.HasSuffix(said, "after object key:value pair") || strings.HasSuffix(said, "after array element")):
		return fmt.Sprintf("a comma is missing before %q, at %s", c, position(body, at)), true
	}
	return "", false
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("it is nested too deeply")
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		o := object{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			o.members = append(o.members, member{name.(string), value})
		}
		_, err := dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.Token()
		return list, err
	}
	return tok, nil
}

// fields is what a request object may hold: a reader for each name.
type fields map[string]func(value any) (fault string)

// into reads an object's members with their readers and returns every fault.
// A null counts as left out.
func (o object) into(path string, known fields) []gateway.Fault {
	var faults []gateway.Fault
	seen := map[string]bool{}
	for _, m := range o.members {
		read, ok := known[m.name]
		switch {
		case !ok:
			faults = append(faults, gateway.Fault{Field: path + clip(m.name), Message: unknownField(m.name, path, known)})
		case seen[m.name]:
			faults = append(faults, gateway.Fault{Field: path + m.name, Message: "appears more than once"})
		case m.value == nil:
		default:
			if fault := read(m.value); fault != "" {
				faults = append(faults, gateway.Fault{Field: path + m.name, Message: fault})
			}
		}
		seen[m.name] = true
	}
	return faults
}

func text(into *string) func(any) string {
	return func(v any) string {
		s, ok := v.(string)
		if !ok {
			return "must be a string"
		}
		*into = s
		return ""
	}
}

// amount reads an amount as it was written, with its zeros.
func amount(read func(said string) (fault string)) func(any) string {
	return func(v any) string {
		switch a := v.(type) {
		case string:
			return read(a)
		case json.Number:
			return read(a.String())
		}
		return "must be a string such as \"150.00\", or a number"
	}
}

func number(into *string) func(any) string {
	return func(v any) string {
		n, ok := v.(json.Number)
		if !ok {
			return "must be a number"
		}
		*into = n.String()
		return ""
	}
}

// readRequest reads the body of a request to pay. Faults of form come back
// all at once; what the fields say is checked by the gateway.
func readRequest(body []byte) (gateway.Request, []gateway.Fault, error) {
	o, err := parseObject(body)
	if err != nil {
		return gateway.Request{}, nil, err
	}
	var r gateway.Request
	var nested []gateway.Fault
	faults := o.into("", fields{
		"amount":         amount(func(said string) string { r.Amount = said; return "" }),
		"currency":       text(&r.Currency),
		"externalId":     text(&r.ExternalID),
		"payerMessage":   text(&r.PayerMessage),
		"payeeNote":      text(&r.PayeeNote),
		"callbackUrl":    text(&r.CallbackURL),
		"provider":       text(&r.Provider),
		"account":        text(&r.Account),
		"method":         text(&r.Method),
		"callbackFormat": text(&r.CallbackFormat),
		"expiresAt":      text(&r.ExpiresAt),
		"products": func(v any) string {
			lines, ok := v.([]any)
			if !ok {
				return "must be a list of objects with name, price and quantity"
			}
			r.Products = make([]gateway.Product, len(lines))
			for i, v := range lines {
				at := fmt.Sprintf("products.%d", i)
				line, ok := v.(object)
				if !ok {
					nested = append(nested, gateway.Fault{Field: at, Message: "must be an object with name, price and quantity"})
					continue
				}
				nested = append(nested, line.into(at+".", fields{
					"name":       text(&r.Products[i].Name),
					"price":      amount(func(said string) string { r.Products[i].Price = said; return "" }),
					"quantity":   number(&r.Products[i].Quantity),
					"taxPercent": number(&r.Products[i].TaxPercent),
				})...)
			}
			return ""
		},
		"customer": func(v any) string {
			customer, ok := v.(object)
			if !ok {
				return "must be an object with name and taxId"
			}
			r.Customer = &gateway.Customer{}
			nested = append(nested, customer.into("customer.", fields{
				"name": text(&r.Customer.Name), "taxId": text(&r.Customer.TaxID), "phone": text(&r.Customer.Phone),
			})...)
			return ""
		},
		"payer": func(v any) string {
			payer, ok := v.(object)
			if !ok {
				return "must be an object with partyIdType and partyId"
			}
			nested = append(nested, payer.into("payer.", fields{
				"partyIdType": text(&r.PartyIDType),
				"partyId":     text(&r.PartyID),
			})...)
			return ""
		},
		"metadata": func(v any) string {
			entries, ok := v.(object)
			if !ok {
				return "must be an object of strings"
			}
			r.Metadata = map[string]string{}
			for _, m := range entries.members {
				s, ok := m.value.(string)
				if _, repeated := r.Metadata[m.name]; repeated {
					nested = append(nested, gateway.Fault{Field: "metadata." + clip(m.name), Message: "appears more than once"})
				} else if !ok {
					nested = append(nested, gateway.Fault{Field: "metadata." + clip(m.name), Message: "must be a string"})
				}
				r.Metadata[m.name] = s
			}
			return ""
		},
	})
	return r, append(faults, nested...), nil
}

// clip keeps a hostile name from filling our answer.
func clip(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return name
}
