package ledger

import (
	"context"
	"time"

	"momoproxy/shared/table"
)

// newPaymentsFresh is how long a process may go on with the share that it has
// read: a change holds everywhere after that time.
const newPaymentsFresh = 10 * time.Second

func accountKey(id string) table.Key {
	return table.Key{Space: table.Main, Partition: "account#" + id, Sort: "account"}
}

// NewPayments reads an account's share of its market's new payments, in
// percent, at most newPaymentsFresh old. set is false when nobody has set one.
func (l *Ledger) NewPayments(ctx context.Context, account string, now time.Time) (percent int, set bool, err error) {
	if p, ok := l.newPayments.get(account, now); ok {
		return p, p >= 0, nil
	}
	rec, err := l.getOrNew(ctx, "read account", accountKey(account))
	if err != nil {
		return 0, false, err
	}
	r := &reader{rec: rec}
	if percent = int(r.number("new_payments")); r.err != nil {
		return 0, false, r.err
	}
	if rec.Version == 0 {
		percent = -1
	}
	l.newPayments.put(account, percent, now)
	return percent, percent >= 0, nil
}

// SetNewPayments sets an account's share, 0 to 100 percent, whatever it was.
func (l *Ledger) SetNewPayments(ctx context.Context, account string, percent int, audit AuditRecord) error {
	rec, err := l.getOrNew(ctx, "read account", accountKey(account))
	if err != nil {
		return err
	}
	rec.Attributes = map[string]any{"new_payments": int64(percent)}
	defer l.newPayments.drop(account)
	return l.write(ctx, "write account", table.Put(rec), table.Put(l.auditRecord(audit)))
}
