package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	tablesqlite "momoproxy/shared/table/sqlite"
)

type backupView struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func (c cli) backup() *cobra.Command {
	var to string
	command := &cobra.Command{
		Use: "backup", Short: "copy the database of a local store, which may be running",
		Long: `Copies the database as it is at one moment into a new file, while the system goes on. What
was acknowledged before is in it. The copy is checked and on the disk when the command
ends. Keep the files sealing.key and payer.key apart from it: without them no app's key or
secret can be opened. A deployed stack has point-in-time recovery instead.`,
		Example: `  momoctl backup --to backup-2026-09-01.db`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case to == "":
				return usageError("--to must be given")
			case c.stack != "":
				return usageError("backup is for a local store: a stack's tables have point-in-time recovery (docs/deploy.md)")
			}
			return nil
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if err := s.parts.Table.(*tablesqlite.Table).File().BackUp(ctx, to); err != nil { // a local store is one
				return err
			}
			info, err := os.Stat(to)
			if err != nil {
				return err
			}
			return s.answer(backupView{to, info.Size()}, func(t *text) {
				t.line("%s holds the database, %d KB. Keep sealing.key and payer.key of %s, too, and apart from it.", to, (info.Size()+1023)/1024, s.data)
			})
		}),
	}
	command.Flags().StringVar(&to, "to", "", "the new `file`; required")
	return command
}
