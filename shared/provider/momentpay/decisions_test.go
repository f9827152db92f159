package momentpay_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/providertest"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	// In virtual time: the adapter waits before it repeats a request.
	ask := func(t *testing.T, code int, body string, f func(ctx context.Context, p *momentpay.Provider) provider.Answer) (a provider.Answer) {
		synctest.Test(t, func(t *testing.T) {
			p, _ := scripted(t, created.Add(time.Minute), strconv.Itoa(code)+" |"+body)
			a = f(t.Context(), p)
		})
		return a
	}
	status := func(t *testing.T, code int, body string) provider.Answer {
		return ask(t, code, body, func(ctx context.Context, p *momentpay.Provider) provider.Answer { return p.Status(ctx, known()) })
	}
	submit := func(method string) providertest.MatrixOperation {
		return providertest.MatrixOperation{Name: "payment by " + method, Kind: provider.OnSubmit, Ask: func(t *testing.T, code int, body string) provider.Answer {
			return ask(t, code, body, func(ctx context.Context, p *momentpay.Provider) provider.Answer {
				return p.Submit(ctx, fixed(method), "")
			})
		}}
	}
	providertest.Matrix{
		Decisions: momentpay.Decisions,
		Error:     func(code string) string { return `{"error":{"code":"` + code + `","message":"m"}}` },
		Operations: []providertest.MatrixOperation{
			submit(momentpay.MethodLink), submit(momentpay.MethodPush),
			{Name: "status question", Kind: provider.OnStatus, Ask: status},
			{Name: "status word", Kind: provider.OnWord, Ask: status, Body: func(word string) string {
				return strings.Replace(strings.SplitN(accepted, "|", 2)[1], `"active"`, `"`+word+`"`, 1)
			}},
		},
	}.Run(t)
}
