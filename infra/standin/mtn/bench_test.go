package mtn_test

import (
	"fmt"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// One world with one payment, token to status: what a simulated run costs.
func BenchmarkWorld(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := newWorld(b, mtn.Options{Options: core.Options{AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }}})
		w.mustPay(refA, ordinary)
		w.status(refA)
		w.Close()
	}
}

func BenchmarkRequestToPay(b *testing.B) {
	w := newWorld(b, mtn.Options{Options: core.Options{AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }}})
	defer w.Close()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		w.mustPay(fmt.Sprintf("%08x-1111-4111-8111-111111111111", n), ordinary)
	}
}

func BenchmarkStatus(b *testing.B) {
	now := time.Now()
	w := newWorld(b, mtn.Options{Options: core.Options{Now: func() time.Time { now = now.Add(time.Millisecond); return now }}, TokenLife: 1e6 * time.Hour})
	defer w.Close()
	w.mustPay(refA, ordinary)
	b.ReportAllocs()
	for b.Loop() {
		w.status(refA)
	}
}
