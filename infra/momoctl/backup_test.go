package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A backup is made while payments are made; a system that is started on it
// knows every payment that was acknowledged before, and goes on.
func TestRestoreOfABackup(t *testing.T) {
	t.Parallel()
	dir, restored := t.TempDir(), t.TempDir()
	url := startLocal(t, dir)
	var mu sync.Mutex
	var made []string
	ordered := 0
	pay := func(url string) error {
		mu.Lock()
		ordered++
		order := fmt.Sprintf("ORDER-%d", ordered)
		mu.Unlock()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/request-to-pay", strings.NewReader(testbed.Order(order, mtnstand.Payer(mtnstand.ScriptSuccess))))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Proxy-Api-Key", "APP_CHANGE_THIS")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		var answer struct{ ReferenceID string }
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.ReferenceID == "" {
			return fmt.Errorf("%s %v", response.Status, err)
		}
		mu.Lock()
		defer mu.Unlock()
		made = append(made, answer.ReferenceID)
		return nil
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(made) }
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := pay(url); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	eventually(t, "ten payments", func() bool { return count() >= 10 })
	mu.Lock()
	before := append([]string{}, made...)
	mu.Unlock()
	to := filepath.Join(restored, localDatabase)
	if o := real(t, "backup", "--to", to, "--data", dir); o.code != exitOK || !strings.Contains(o.out, "sealing.key") {
		t.Fatalf("%+v", o)
	}
	during := count()
	eventually(t, "payments go on", func() bool { return count() > during })
	close(stop)
	load.Wait()

	for _, key := range []string{localSealingKey, localPayerKey} {
		text, err := os.ReadFile(filepath.Join(dir, key))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(restored, key), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again := startLocal(t, restored)
	for _, reference := range before {
		if o := real(t, "payment", "show", reference, "--data", restored); o.code != exitOK {
			t.Errorf("%s is lost: %+v", reference, o)
		}
	}
	if err := pay(again); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"backup"}, {"backup", "--to", "x", "--stack", "momo-proxy"}} {
		if o := real(t, args...); o.code != exitUsage {
			t.Errorf("%v: %+v", args, o)
		}
	}
	if o := real(t, "backup", "--to", to, "--data", dir); o.code != exitFailed {
		t.Errorf("a file that is there: %+v", o)
	}
}
