package httpapi

import (
	"encoding/csv"
	"strings"
)

// headerNextCursor stands for nextCursor where the body is CSV.
const headerNextCursor = "x-next-cursor"

// wantsCSV: the request accepts CSV and not JSON. Clients that name both, or
// anything, get JSON.
func wantsCSV(r Request) bool {
	accept := strings.ToLower(header(r, "accept"))
	return strings.Contains(accept, "text/csv") && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*")
}

// csvPage is a page of payments for a spreadsheet. The amount is exact.
func csvPage(body paymentsBody) Response {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"referenceId", "externalId", "status", "phase", "amount", "currency", "payer", "financialTxId", "failureReason",
		"failureCode", "provider", "account", "method", "createdAt", "updatedAt"}}
	for _, p := range body.Payments {
		rows = append(rows, []string{p.ReferenceID, p.ExternalID, string(p.Status), string(p.Phase), p.AmountDecimal, p.Currency, orEmpty(p.Payer), orEmpty(p.FinancialTxID),
			orEmpty(p.FailureReason), string(p.FailureCode), p.Provider, p.Account, p.Method, p.CreatedAt, p.UpdatedAt})
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = plainCell(cell)
		}
	}
	_ = w.WriteAll(rows) // a builder takes everything
	resp := Response{StatusCode: 200, Headers: map[string]string{"content-type": "text/csv; charset=utf-8", "cache-control": "no-store"}, Body: b.String()}
	if body.NextCursor != nil {
		resp.Headers[headerNextCursor] = *body.NextCursor
	}
	return resp
}

// plainCell puts an apostrophe before what a spreadsheet would take for a
// formula: apps and providers wrote some of the cells.
func plainCell(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
