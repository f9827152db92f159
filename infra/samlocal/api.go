package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// startAPI runs sam local start-api, with queue and schedule at work, until
// walk is through, or without one until the context ends.
func (w *world) startAPI(ctx context.Context, common []string, walk func(context.Context, string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := append([]string{"local", "start-api", "--warm-containers", "LAZY", "--port", fmt.Sprint(w.o.port)}, common...)
	cmd := command(ctx, w.o.sam, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var loops sync.WaitGroup
	defer loops.Wait()
	defer cancel()
	done := make(chan error, 2)
	loops.Go(func() {
		if err := w.consume(ctx); err != nil {
			done <- err
		}
	})
	loops.Go(func() { w.schedule(ctx, common) })
	if walk != nil {
		loops.Go(func() { done <- walk(ctx, fmt.Sprintf("http://127.0.0.1:%d", w.o.port)) })
	}
	select {
	case err := <-done:
		cancel()
		<-ended
		return err
	case err := <-ended:
		if ctx.Err() != nil && walk == nil {
			return nil // as asked
		}
		return fmt.Errorf("sam local start-api ended: %w", err)
	}
}

// walk takes one payment through the API, from request to the callback that
// its app has verified.
func (w *world) walk(ctx context.Context, api string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		if status, text, err := call(ctx, http.MethodGet, api+"/health", ""); err == nil && status == http.StatusOK {
			fmt.Println("GET /health:", text)
			break
		} else if !pause(ctx, time.Second) {
			return fmt.Errorf("the API did not come up: %d %s %w", status, text, err)
		}
	}
	order := fmt.Sprintf(`{"amount":"150.00","externalId":"SAM-%d","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`, time.Now().UnixNano())
	status, text, err := call(ctx, http.MethodPost, api+"/request-to-pay", order)
	fmt.Println("POST /request-to-pay:", status, text)
	var answer struct {
		ReferenceID, Status string
		CallbackForwarded   bool
	}
	if err := errors.Join(err, json.Unmarshal([]byte(text), &answer)); err != nil || status != http.StatusAccepted {
		return fmt.Errorf("request-to-pay: %d %s %w", status, text, err)
	}
	for {
		status, text, err = call(ctx, http.MethodGet, api+"/status/"+answer.ReferenceID, "")
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("status: %d %s %w", status, text, err)
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			return err
		}
		if answer.Status == "SUCCESSFUL" && answer.CallbackForwarded {
			fmt.Println("GET /status:", text)
			return nil
		}
		if !pause(ctx, 2*time.Second) {
			return fmt.Errorf("the payment did not end in a callback: %s", text)
		}
	}
}

func call(ctx context.Context, method, url, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", appKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// pause returns false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
