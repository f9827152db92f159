package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"momoproxy/infra/restore"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table/dynamo"
)

// restoredTables are those that RestoreTableToPointInTime made.
type restoredTables struct{ main, audit string }

func (s *session) oldTables() dynamo.Names {
	return dynamo.Names{Main: s.stack.outputs["MainTableName"], Audit: s.stack.outputs["AuditTableName"]}
}

func (c cli) restoreFinish() *cobra.Command {
	var to restoredTables
	command := &cobra.Command{
		Use: "finish", Short: "give restored tables what a restore leaves out",
		Long: `A table that DynamoDB has restored has no time to live, no point-in-time recovery, no
tags and no deletion protection. Sets them as the stack's tables have them, and checks
them and the indexes. It waits for a restore under way, and can be repeated.`,
		Example: `  momoctl --stack momo-proxy restore finish --main momo-restored --audit momo-audit-restored`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if to.main == "" || to.audit == "" {
				return usageError("--main and --audit must be given")
			}
			return nil
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if s.stack == nil {
				return usageError("give --stack NAME, whose tables were restored")
			}
			client, old := dynamodb.NewFromConfig(s.stack.aws), s.oldTables()
			if err := errors.Join(
				restore.Settings(ctx, restore.Table{Client: client, Name: old.Main}, restore.Table{Client: client, Name: to.main}),
				restore.Settings(ctx, restore.Table{Client: client, Name: old.Audit}, restore.Table{Client: client, Name: to.audit}),
			); err != nil {
				return err
			}
			return s.answer(map[string]any{"main": to.main, "audit": to.audit, "complete": true}, func(t *text) {
				t.line("%s and %s have what the stack's tables have.", to.main, to.audit)
			})
		}),
	}
	command.Flags().StringVar(&to.main, "main", "", "the restored main `table`")
	command.Flags().StringVar(&to.audit, "audit", "", "the restored audit `table`")
	return command
}

type lostView struct {
	Reference string    `json:"referenceId"`
	ClientID  string    `json:"clientId"`
	At        time.Time `json:"at"`
	Request   string    `json:"request,omitempty"`
	Exchanges int       `json:"exchanges"`
}

func (c cli) restoreMissing() *cobra.Command {
	var main, since string
	command := &cobra.Command{
		Use: "missing", Short: "list payments that a restored table does not have",
		Long: `Lists the payments that have audit records since the moment of the restore, and are not
in the restored main table: their payers may have paid. Ask the provider about each before
apps come back. It scans the stack's audit table once.`,
		Example: `  momoctl --stack momo-proxy restore missing --main momo-restored --since 2026-09-01T08:30`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if main == "" || since == "" {
				return usageError("--main and --since must be given")
			}
			_, err := readTime("since", since, c.now())
			return err
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if s.stack == nil {
				return usageError("give --stack NAME, whose tables were restored")
			}
			at, err := readTime("since", since, s.now())
			if err != nil {
				return err
			}
			lost, err := restore.Missing(ctx, dynamodb.NewFromConfig(s.stack.aws), s.oldTables(), main, at)
			if err != nil {
				return err
			}
			return s.showLost(lost)
		}),
	}
	command.Flags().StringVar(&main, "main", "", "the restored main `table`")
	command.Flags().StringVar(&since, "since", "", "the `time` that the tables were restored to")
	return command
}

func (s *session) showLost(lost []restore.Lost) error {
	views := []lostView{}
	for _, l := range lost {
		v := lostView{Reference: l.Reference, Exchanges: len(l.Trail)}
		for _, a := range l.Trail {
			if a.Direction == ledger.InboundFromApp && v.Request == "" {
				v.ClientID, v.At, v.Request = a.ClientID, a.At, a.RequestBody
			}
		}
		views = append(views, v)
	}
	return s.answer(map[string]any{"payments": views}, func(t *text) {
		rows := [][]string{{"REFERENCE", "MADE", "CLIENT", "REQUEST"}}
		for _, v := range views {
			rows = append(rows, []string{v.Reference, short(v.At), orDash(v.ClientID), orDash(v.Request)})
		}
		t.list("payments", rows)
	})
}
