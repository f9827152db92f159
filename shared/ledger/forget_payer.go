package ledger

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// eraseTogether is how many audit records one write erases from: each is at
// most 400 KiB, and a write takes 4 MiB.
const eraseTogether = 10

// ErrNotForgotten: the payment or a refund of it is open, or it has no payer's
// number.
var ErrNotForgotten = errors.New("only an ended payment that has a number is forgotten")

// ForgetPayer puts payment.Forgotten in the place of the payer's number in all
// that is stored of an ended payment: its audit records, the payment, what the
// app wrote into it, its events and their bodies; and takes it out of the list
// of the number's payments. Whom an invoice was to name is taken out too. Amounts, times, ids and the provider's words stay,
// the order id too. The payment comes last, so that one that was interrupted is
// found again by its number. record says who did it. ErrStale: something has
// changed since it was read; do it again.
func (l *Ledger) ForgetPayer(ctx context.Context, reference string, record AuditRecord) error {
	p, err := l.Payment(ctx, reference)
	if err != nil {
		return err
	}
	if p.Open() || p.Refunds.Open != "" || p.Payer == "" || p.Payer == payment.Forgotten {
		return ErrNotForgotten
	}
	number := numberIn(p.Payer)
	var ops []table.Op
	err = l.each(ctx, "read audit", table.Audit, paymentPartition(p.Reference), func(rec table.Record) error {
		rec.Attributes = maps.Clone(rec.Attributes) // the table may share it
		if number.erase(rec) {
			ops = append(ops, table.Erase(rec))
		}
		return nil
	})
	for err == nil && len(ops) > 0 {
		n := min(len(ops), eraseTogether)
		err, ops = l.write(ctx, "erase from the audit of "+p.Reference, ops[:n]...), ops[n:]
	}
	if err != nil {
		return err
	}
	ops = l.auditOps([]AuditRecord{record})
	err = l.each(ctx, "read payment", table.Main, paymentPartition(p.Reference), func(rec table.Record) error {
		rec.Attributes, rec.Index = maps.Clone(rec.Attributes), maps.Clone(rec.Index)
		if rec.Key == paymentKey(p.Reference) {
			if rec.Version != p.version {
				return ErrStale
			}
			delete(rec.Index, IndexPayer)
			delete(rec.Attributes, "request_hash") // there are so few numbers that a hash hides none
		}
		number.erase(rec)
		ops = append(ops, table.Put(rec))
		return nil
	})
	if err != nil {
		return err
	}
	return l.write(ctx, "forget the payer of "+p.Reference, ops...)
}

// number finds a phone number in texts, as apps and providers write it: with or
// without a plus, and with spaces and dashes between its digits.
type number struct{ *regexp.Regexp }

func numberIn(payer payment.MSISDN) number {
	return number{regexp.MustCompile(strings.Join(strings.Split(string(payer), ""), `[ -]*`))}
}

// erase changes a record's texts, and says whether any had the number.
func (n number) erase(rec table.Record) (changed bool) {
	for name, value := range rec.Attributes {
		text, ok := value.(string)
		if !ok || name == "external_id" { // an order's lock has its id as key
			continue
		}
		without := customer.ReplaceAllString(n.ReplaceAllString(text, string(payment.Forgotten)), `"customer":null`)
		if without != text {
			rec.Attributes[name], changed = without, true
		}
	}
	return changed
}

// customer is whom an invoice names, in the body of a request to us or to the
// provider. It is kept nowhere else.
var customer = regexp.MustCompile(`"customer"\s*:\s*\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}`)
