// Command fill writes payments of the demo app into the folder of a local
// system, which may be running, so that a test sees a list that is long.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/seal"
	tablesqlite "momoproxy/shared/table/sqlite"
)

func main() {
	data := flag.String("data", "", "the `folder`")
	n := flag.Int("n", 10_000, "how many")
	flag.Parse()
	if err := fill(context.Background(), *data, *n); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func fill(ctx context.Context, data string, n int) error {
	text, err := os.ReadFile(filepath.Join(data, "payer.key"))
	if err != nil {
		return err
	}
	payers, err := seal.ParseHasher(string(text))
	if err != nil {
		return err
	}
	table, err := tablesqlite.Open(filepath.Join(data, "momo-proxy.db"))
	if err != nil {
		return err
	}
	defer table.Close()
	l := ledger.New(table, nil, ledger.Options{HashPayer: payers.Hash})
	now := time.Now()
	for i := range n {
		at := ledger.Clock(now.Add(-time.Duration(i) * time.Millisecond))
		p := ledger.Payment{Payment: payment.Payment{
			Reference: payment.NewReference(rand.Reader), ClientID: "cli_demo", ExternalID: fmt.Sprintf("LOAD-%05d", i), Provider: "mtn",
			Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: "26876992002", Status: payment.Pending, Phase: payment.PhaseAwaitingPayer,
			Accepted: true, CreatedAt: at, UpdatedAt: at,
		}}
		if _, err := l.Create(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
