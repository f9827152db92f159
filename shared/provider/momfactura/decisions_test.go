package momfactura_test

import (
	"testing"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/provider/providertest"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	submit := func(method string) providertest.MatrixOperation {
		return providertest.MatrixOperation{Name: "payment by " + method, Kind: provider.OnSubmit, Ask: func(t *testing.T, code int, body string) provider.Answer {
			return canned(t, code, body).Submit(t.Context(), newPayment(method), "")
		}}
	}
	status := func(t *testing.T, code int, body string) provider.Answer {
		pay := newPayment(momfactura.MethodReference)
		pay.IDs = map[string]string{"operationId": "op-1"}
		return canned(t, code, body).Status(t.Context(), pay)
	}
	providertest.Matrix{
		Decisions: momfactura.Decisions,
		Error:     func(code string) string { return `{"success":false,"error":"m","code":"` + code + `"}` },
		Operations: []providertest.MatrixOperation{
			submit(momfactura.MethodMCX), submit(momfactura.MethodEkwanza), submit(momfactura.MethodReference),
			{Name: "status question", Kind: provider.OnStatus, Ask: status},
			{Name: "status word", Kind: provider.OnWord, Ask: status, Body: func(word string) string {
				return `{"success":true,"payment":{"status":"` + word + `"}}`
			}},
		},
	}.Run(t)
}
