package main

import (
	"context"
	"fmt"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"momoproxy/infra/restore"
	"momoproxy/shared/table/dynamo"
)

func (c cli) move() *cobra.Command {
	var to dynamo.Names
	var profile, region string
	command := &cobra.Command{
		Use: "move", Short: "copy a stack's tables to another region or account",
		Long: `Copies the stack's two tables to new ones of another region or account. It makes the new
tables if they are not there, and gives them what the old ones have: indexes, time to live,
point-in-time recovery, deletion protection and tags. A record that is there in the same
version, or in a newer one, stays as it is. So run it twice: once while payments are still
taken, and again when the old stack is stopped. Only the second run must be waited for.
The new tables then take the place of the new stack's own: docs/deploy.md.`,
		Example: `  momoctl --stack momo-proxy --profile old move --to-profile new --main momo-moved --audit momo-audit-moved`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if to.Main == "" || to.Audit == "" {
				return usageError("--main and --audit must be given")
			}
			if profile == "" && region == "" {
				return usageError("--to-profile or --to-region must be given")
			}
			return nil
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if s.stack == nil {
				return usageError("give --stack NAME, whose tables are to be copied")
			}
			load := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(region)}
			if profile != "" {
				load = append(load, awsconfig.WithSharedConfigProfile(profile))
			} else if s.profile != "" {
				load = append(load, awsconfig.WithSharedConfigProfile(s.profile))
			}
			there, err := awsconfig.LoadDefaultConfig(ctx, load...)
			if err != nil {
				return err
			}
			return s.copyTables(ctx, dynamodb.NewFromConfig(there), there.Region, to)
		}),
	}
	command.Flags().StringVar(&to.Main, "main", "", "the new main `table`")
	command.Flags().StringVar(&to.Audit, "audit", "", "the new audit `table`")
	command.Flags().StringVar(&profile, "to-profile", "", "`profile` of the AWS configuration for the new place")
	command.Flags().StringVar(&region, "to-region", "", "AWS `region` of the new place; else the profile's")
	return command
}

func (s *session) copyTables(ctx context.Context, there *dynamodb.Client, region string, to dynamo.Names) error {
	here, old := dynamodb.NewFromConfig(s.stack.aws), s.oldTables()
	if err := dynamo.Create(ctx, there, to); err != nil {
		return err
	}
	done := map[string]restore.Copied{}
	for source, target := range map[string]string{old.Main: to.Main, old.Audit: to.Audit} {
		from, into := restore.Table{Client: here, Name: source}, restore.Table{Client: there, Name: target}
		shown := s.now()
		copied, err := restore.Copy(ctx, from, into, func(read int) {
			if now := s.now(); now.Sub(shown) >= lineEvery {
				shown = now
				fmt.Fprintf(s.err, "%s read of %s\n", plural(read, "record"), source)
			}
		})
		if err != nil {
			return fmt.Errorf("not finished, and can be repeated: %w", err)
		}
		if err := restore.Settings(ctx, from, into); err != nil {
			return err
		}
		done[target] = copied
	}
	return s.answer(map[string]any{"region": region, "tables": done}, func(t *text) {
		for _, target := range []string{to.Main, to.Audit} {
			t.line("%s in %s: %s written, %d were there.", target, region, plural(done[target].Written, "record"), done[target].Same)
		}
	})
}
