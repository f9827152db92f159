package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// RequestLimit is how many requests an app may send: one each Every on
// average, and Burst at once after a quiet time.
type RequestLimit struct {
	Every time.Duration // whole milliseconds
	Burst int
}

// Left is how many requests an allowance that is whole again at fullAt has
// left.
func (l RequestLimit) Left(fullAt, now time.Time) int {
	return l.Burst - int((max(0, fullAt.Sub(now))+l.Every-1)/l.Every)
}

const (
	// requestHorizon is how far beyond its length an allowance may reach: a
	// later mark was made by a clock that ran ahead.
	requestHorizon = time.Minute
	// requestsKept is how long the record of an app that sends nothing stays.
	requestsKept = time.Hour
)

// RequestLease asks for requests out of an app's allowance.
type RequestLease struct {
	ClientID string
	Limit    RequestLimit
	Count    int
	Now      time.Time
}

// LeaseRequests takes Count requests out of an app's allowance, which all
// functions share. ok is false when fewer are left, or when another lease came
// first; then nothing was taken. fullAt says when the allowance is whole again.
// It makes one read and at most one write.
func (l *Ledger) LeaseRequests(ctx context.Context, r RequestLease) (fullAt time.Time, ok bool, err error) {
	limit, now := r.Limit, r.Now
	key := table.Key{Space: table.Main, Partition: "limit#app#" + r.ClientID, Sort: "limit"}
	rec, err := l.getOrNew(ctx, "read request limit", key)
	if err != nil {
		return time.Time{}, false, err
	}
	if fullAt, err = allowanceFullAt(rec, limit, now); err != nil || limit.Left(fullAt, now) < r.Count {
		return fullAt, false, err
	}
	fullAt = fullAt.Add(time.Duration(r.Count) * limit.Every)
	rec.Attributes = map[string]any{"full_at": timeKey(fullAt)}
	rec.ExpiresAt = fullAt.Add(requestsKept)
	err = l.table.Write(ctx, table.Put(rec))
	var conflict *table.ConflictError
	if errors.As(err, &conflict) {
		current, _ := conflict.On(key)
		fullAt, err = allowanceFullAt(current, limit, now)
		return fullAt, false, err
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("lease requests: %w", err)
	}
	return fullAt, true, nil
}

func allowanceFullAt(rec table.Record, limit RequestLimit, now time.Time) (time.Time, error) {
	fullAt, err := timeOf(rec, "full_at")
	if fullAt.Before(now) || fullAt.Sub(now) > time.Duration(limit.Burst)*limit.Every+requestHorizon {
		fullAt = Clock(now)
	}
	return fullAt, err
}
