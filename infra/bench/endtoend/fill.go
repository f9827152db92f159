package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"momoproxy/shared/sqlitefile"
)

// atOnce is how many payments are added in one transaction.
const atOnce = 10_000

// fill adds copies of a payment that has ended and was called back, with all
// its records: only their number matters. The gateway is down meanwhile. Their
// audit records are not copied: no request reads any.
func (w *world) fill(ctx context.Context, payments int) error {
	var model *payment
	for _, p := range w.all {
		if p.called > 0 {
			model = p
		}
	}
	if model == nil {
		return errors.New("no payment was called back that could be copied")
	}
	if err := w.process.End(syscall.SIGTERM, 15*time.Second); err != nil {
		return err
	}
	w.client.CloseIdleConnections()
	began, added := time.Now(), int64(0)
	file, err := sqlitefile.Open(w.file())
	if err != nil {
		return err
	}
	err = file.Write(ctx, func(c sqlitefile.Conn) error {
		_, err := c.Exec(`CREATE TEMP TABLE model AS SELECT * FROM main_records WHERE instr("partition" || attributes, ?)`, model.reference)
		return err
	})
	for first := 0; first < payments && err == nil; first += atOnce {
		err = file.Write(ctx, func(c sqlitefile.Conn) error {
			n, err := c.Exec(`
			WITH RECURSIVE n(i) AS (VALUES (?3) UNION ALL SELECT i + 1 FROM n WHERE i < ?4),
				fresh AS (SELECT i, printf('%08x-0000-4000-8000-000000000000', i) AS reference, 'OLD-' || i AS number FROM n)
			INSERT INTO main_records ("partition", sort, version, attributes, indexes, expires_at)
			SELECT replace(replace("partition", ?1, reference), ?2, number), replace(sort, ?1, reference), version,
				replace(replace(attributes, ?1, reference), ?2, number), replace(indexes, ?1, reference), expires_at
			FROM fresh CROSS JOIN model`,
				model.reference, model.order, first+1, min(first+atOnce, payments))
			added += n
			return err
		})
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	fmt.Printf("added %d payments, %d records, in %v; the file has %.1f MB\n", payments, added, time.Since(began).Round(time.Second), float64(w.fileSize())/1e6)
	return w.start()
}
