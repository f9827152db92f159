package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == receiveArgument {
		exit(receive(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// What is measured is whole: every event is verified by its app once, and
// stored as delivered with its attempt and audit record.
func TestThroughput(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"memory", "sqlite"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			for kind, measure := range map[string]func(context.Context, string, int, int) (flow, error){"backlog": throughput, "live": live} {
				f, err := measure(t.Context(), store, 3, 50)
				if err != nil || f.Deliveries != 50 || f.PerSecond <= 0 || f.P50 <= 0 || f.P99 < f.P50 || f.CPU <= 0 || f.AppCPU <= 0 {
					t.Errorf("%s: %+v, %v", kind, f, err)
				}
			}
		})
	}
}

func TestPaced(t *testing.T) {
	t.Parallel()
	r, err := paced(t.Context(), "memory", 3, 0, 1, 20, 500*time.Millisecond)
	if err != nil || len(r.Times) != 2*10 || r.Hung != 0 || percentile(r.Times, 1) <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range time.Duration(100) {
		hundred = append(hundred, 100-i)
	}
	for p, want := range map[int]time.Duration{0: 1, 1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("%d%%: %d, want %d", p, got, want)
		}
	}
	if got := percentile([]time.Duration{7}, 99); got != 7 || percentile(nil, 99) != 0 {
		t.Error(got)
	}
	for d, want := range map[time.Duration]string{831234: "831µs", 11234567: "11.2ms", 123456789: "123ms", 6190 * time.Millisecond: "6.19s"} {
		if got := fmt.Sprint(short(d)); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
