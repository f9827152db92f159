package payment

import "strings"

// mismatch compares what the evidence carries with the payment. What it does
// not carry is not compared; where it does not know the payment, nothing is.
func mismatch(p Payment, e Evidence) bool {
	if e.Verdict == SaysNothing || e.Verdict == SaysNotFound || e.Verdict == SaysUnanswerable {
		return false
	}
	if e.Currency != "" && e.Currency != p.Amount.Currency {
		return true
	}
	if e.Amount != "" {
		m, err := ParseReported(e.Amount, p.Amount.Currency)
		if err != nil || m != p.Amount {
			return true
		}
	}
	return e.Payer != "" && p.Payer != "" && strings.TrimPrefix(e.Payer, "+") != string(p.Payer)
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// bounded cuts at a rune boundary and drops what no text column should hold.
func bounded(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) <= MaxReason {
		return s
	}
	cut := 0
	for i := range s {
		if i > MaxReason {
			break
		}
		cut = i
	}
	return s[:cut]
}
