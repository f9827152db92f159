package gateway

import (
	"cmp"
	"fmt"
	"math/big"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Product is a line of the provider's invoice as an app sends it.
type Product struct {
	Name       string
	Price      string // of one, tax included
	Quantity   string
	TaxPercent string // empty: the provider's default
}

// Customer is whom the provider's invoice is to name, as an app sends it.
type Customer struct{ Name, TaxID, Phone string }

// Limits of an invoice's texts and of a payment's own expiry.
const (
	MaxLineName = 100 // characters
	MaxTaxID    = 20  // bytes
	MaxQuantity = 1_000_000
	// LeastExpiry is how far ahead expiresAt must be: the payer needs the time.
	LeastExpiry = time.Minute
)

// invoiceOf reads products and customer. The lines must add up to the amount:
// a provider that finds them different refuses the payment.
func invoiceOf(r Request, amount payment.Money, caps provider.Capabilities, method provider.Method) (provider.Invoice, []Fault) {
	var invoice provider.Invoice
	var faults []Fault
	fault := func(field, message string) { faults = append(faults, Fault{field, message}) }
	limits := method.Invoice
	if limits.MaxLines == 0 {
		untaken := "is not taken by provider " + strings.TrimSpace(caps.Name+" "+method.Name) + "; leave it out"
		if r.Products != nil {
			fault("products", untaken)
		}
		if r.Customer != nil {
			fault("customer", untaken)
		}
		return invoice, faults
	}
	if r.Products != nil && (len(r.Products) == 0 || len(r.Products) > limits.MaxLines) {
		fault("products", fmt.Sprintf("must have 1 to %d lines", limits.MaxLines))
		r.Products = nil
	}
	sum := new(big.Int)
	for i, product := range r.Products {
		line, wrong := lineOf(product, caps.Currency, limits)
		for _, f := range wrong {
			fault(fmt.Sprintf("products.%d.%s", i, f.Field), f.Message)
		}
		sum.Add(sum, new(big.Int).Mul(big.NewInt(line.Price.Minor), big.NewInt(line.Quantity)))
		invoice.Lines = append(invoice.Lines, line)
	}
	if len(faults) == 0 && len(invoice.Lines) > 0 && amount.Minor > 0 && sum.Cmp(big.NewInt(amount.Minor)) != 0 {
		fault("products", "must add up to the amount: price times quantity of all lines is "+decimal(sum, caps.Currency)+", and amount is "+amount.Decimal())
	}
	if c := r.Customer; c != nil {
		// One without the other is refused by the provider.
		if m := nameFault(c.Name); m != "" {
			fault("customer.name", m)
		}
		if m := cmp.Or(textFault(c.TaxID, 1, MaxTaxID), notIn(c.TaxID, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "must have digits and capital letters only")); m != "" {
			fault("customer.taxId", m)
		}
		phone, err := payment.MSISDN(""), error(nil)
		if c.Phone != "" {
			if phone, err = payment.ParseMSISDN(c.Phone, caps.Plan); err != nil {
				fault("customer.phone", sentence(err, payment.ErrMSISDN))
			}
		}
		invoice.Customer = provider.Customer{Name: c.Name, TaxID: c.TaxID, Phone: string(phone)}
	}
	return invoice, faults
}

func lineOf(p Product, currency string, limits provider.InvoiceLimits) (line provider.Line, faults []Fault) {
	fault := func(field, message string) { faults = append(faults, Fault{field, message}) }
	line.Name = p.Name
	if m := nameFault(p.Name); m != "" {
		fault("name", m)
	}
	var err error
	if p.Price == "" {
		fault("price", "is required")
	} else if line.Price, err = payment.ParseMoney(p.Price, currency); err != nil {
		fault("price", sentence(err, payment.ErrAmount))
	}
	if quantity, ok := wholeNumber(p.Quantity); p.Quantity == "" {
		fault("quantity", "is required")
	} else if !ok || quantity < 1 || quantity > MaxQuantity {
		fault("quantity", fmt.Sprintf("must be a whole number from 1 to %d", MaxQuantity))
	} else {
		line.Quantity = quantity
	}
	if p.TaxPercent != "" {
		tax, ok := wholeNumber(p.TaxPercent)
		if !ok || tax > int64(limits.MaxTaxPercent) {
			fault("taxPercent", fmt.Sprintf("must be a whole number from 0 to %d", limits.MaxTaxPercent))
		}
		line.TaxPercent = new(int(tax))
	}
	return line, faults
}

func nameFault(s string) string {
	if len([]rune(s)) > MaxLineName {
		return fmt.Sprintf("must be at most %d characters", MaxLineName)
	}
	return idFault(s, 1, 4*MaxLineName)
}

func notIn(s, characters, message string) string {
	if strings.Trim(s, characters) != "" {
		return message
	}
	return ""
}

// wholeNumber reads at most nine digits.
func wholeNumber(s string) (n int64, ok bool) {
	if s == "" || len(s) > 9 || strings.Trim(s, "0123456789") != "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	_, err := fmt.Sscan(s, &n)
	return n, err == nil
}

// decimal writes a sum, which may be more than a Money holds.
func decimal(minor *big.Int, currency string) string {
	if minor.IsInt64() {
		return payment.Money{Minor: minor.Int64(), Currency: currency}.Decimal()
	}
	return "far more"
}

// expiryOf reads when the payer can no longer pay; zero: as the method has it. A
// time that is not in bounds is returned beside its fault.
func expiryOf(text string, now time.Time, caps provider.Capabilities, method provider.Method) (time.Time, string) {
	if text == "" {
		return time.Time{}, ""
	}
	longest := method.LongestExpiry
	if longest == 0 {
		return time.Time{}, "is not taken by provider " + strings.TrimSpace(caps.Name+" "+method.Name) + "; leave it out"
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, `must be a time such as "2026-12-01T18:00:00Z"`
	}
	at = at.UTC().Truncate(time.Second)
	if ahead := at.Sub(now); ahead < LeastExpiry || ahead > longest {
		return at, fmt.Sprintf("must be at least a minute and at most %d days ahead", int(longest/(24*time.Hour)))
	}
	return at, ""
}
