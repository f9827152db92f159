package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"
)

// What newPayments can be.
const (
	newPaymentsAccepted = "accepted"
	newPaymentsStopped  = "stopped"
)

type stopView struct {
	Stack       string `json:"stack"`
	NewPayments string `json:"newPayments"`
	// Share is the function's reserved concurrency; none: that of the account.
	Share *int `json:"reservedConcurrency,omitempty"`
}

func (c cli) stop() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "stop", Short: "take no new payments: of a deployed stack",
		Long: `Takes no new payments until momoctl start. It sets the reserved concurrency of the
function behind POST /request-to-pay to 0, so that API Gateway answers 503 in its place
and nothing is stored. It takes effect within seconds; requests under way end. Callbacks,
status questions, reconciliation and deliveries go on. The alarm Throttles says so while
apps go on asking. momoctl status shows it. A deployment leaves it as it is, unless it
changes ReserveConcurrency.`,
		Example: `  momoctl --stack momo-proxy stop`,
		Args:    takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if err := s.deployed(); err != nil {
				return err
			}
			if !yes {
				if err := s.confirm(func(t *text) {
					t.line("Apps get 503 for each new payment, until \"momoctl%s start\".", s.storeFlags())
				}); err != nil {
					return err
				}
			}
			return s.setShare(ctx, new(0))
		}),
	}
	yesFlag(command, &yes)
	return command
}

func (c cli) start() *cobra.Command {
	return &cobra.Command{
		Use: "start", Short: "take new payments again",
		Long: `Takes new payments again after momoctl stop: gives the function behind
POST /request-to-pay the share that the template gives it.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if err := s.deployed(); err != nil {
				return err
			}
			share := s.stack.outputs["RequestToPayShare"]
			if share == "" || share == "none" {
				return s.setShare(ctx, nil)
			}
			n, err := strconv.Atoi(share)
			if err != nil || n < 1 {
				return fmt.Errorf("the stack's output RequestToPayShare is %q, and no share", share)
			}
			return s.setShare(ctx, &n)
		}),
	}
}

func (s *session) deployed() error {
	if s.stack == nil {
		return usageError("stop and start are for a deployed stack: give --stack NAME; a local system stops taking payments when infra/local ends")
	}
	return nil
}

// setShare sets the reserved concurrency, or takes it away, and reads it back.
func (s *session) setShare(ctx context.Context, share *int) error {
	path := "/2017-10-31/functions/" + s.stack.function("request-to-pay") + "/concurrency"
	var err error
	if share == nil {
		err = s.stack.rest(ctx, http.MethodDelete, path, nil, nil)
	} else {
		err = s.stack.rest(ctx, http.MethodPut, path, map[string]int{"ReservedConcurrentExecutions": *share}, nil)
	}
	if err != nil {
		return fmt.Errorf("reserved concurrency of %s: %w", s.stack.function("request-to-pay"), err)
	}
	v, err := s.stack.newPayments(ctx)
	if err != nil {
		return err
	}
	if (share == nil) != (v.Share == nil) || share != nil && *share != *v.Share {
		return errors.New("the change was taken, and another share is shown; look again with momoctl status")
	}
	return s.answer(v, func(t *text) {
		if v.NewPayments == newPaymentsStopped {
			t.line("%s takes no new payments. Callbacks, status, reconciliation and deliveries go on.", v.Stack)
			t.line("\"momoctl%s start\" ends that.", s.storeFlags())
			return
		}
		t.line("%s takes new payments.", v.Stack)
	})
}

// newPayments says whether the stack takes new payments.
func (s stack) newPayments(ctx context.Context) (stopView, error) {
	v := stopView{Stack: s.name, NewPayments: newPaymentsAccepted}
	var found struct{ ReservedConcurrentExecutions *int }
	if err := s.rest(ctx, http.MethodGet, "/2019-09-30/functions/"+s.function("request-to-pay")+"/concurrency", nil, &found); err != nil {
		return v, fmt.Errorf("reserved concurrency of %s: %w", s.function("request-to-pay"), err)
	}
	if v.Share = found.ReservedConcurrentExecutions; v.Share != nil && *v.Share == 0 {
		v.NewPayments = newPaymentsStopped
	}
	return v, nil
}
