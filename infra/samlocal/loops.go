package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/receiver"
)

// consume is the event source mapping: it hands the queue's messages to the
// forwarder until ctx ends. The forwarder is in no container: it would have to
// reach an app on this machine, and a deployed one connects to public
// addresses only. So it is built here, of the same parts, with rules that allow
// this machine.
func (w *world) consume(ctx context.Context) error {
	forwarder := w.parts.Forwarder()
	for {
		received, err := w.parts.Queue.Receive(ctx, cloud.BatchSize, cloud.Visibility, 5*time.Second)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		if len(received) == 0 {
			continue
		}
		batch := cloud.NewBatch(received)
		response, err := forwarder.Handle(ctx, batch.Event)
		if err != nil {
			continue // the whole batch comes again
		}
		done, err := batch.Done(response)
		if err := errors.Join(err, w.parts.Queue.Delete(ctx, done...)); err != nil && ctx.Err() == nil {
			return fmt.Errorf("queue: %w", err)
		}
	}
}

// schedule starts the functions on a schedule, each time in a container of its
// own, until ctx ends.
func (w *world) schedule(ctx context.Context, common []string) {
	cloud.Every(ctx, cloud.Interval, func(ctx context.Context) {
		for _, function := range w.wiring.Scheduled {
			if err := w.invokeScheduled(ctx, common, function); err != nil && ctx.Err() == nil {
				fmt.Println("schedule:", err)
			}
		}
	})
}

func (w *world) invokeScheduled(ctx context.Context, common []string, function string) error {
	text, err := json.Marshal(cloud.Scheduled(function, time.Now()))
	if err != nil {
		return err
	}
	file := filepath.Join(w.o.dir, "scheduled-"+function+".json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	answer, err := w.invoke(ctx, common, file, function)
	fmt.Printf("%s ran: %s\n", function, answer)
	return err
}

// invoke runs a function on one event file. An answer is what the function
// makes of the event, be it 401; a function that fails or does not come up is
// an error, which has its log.
func (w *world) invoke(ctx context.Context, common []string, file, function string) (string, error) {
	args := append(slices.Clone(common), "--event", file, w.functions[function])
	cmd := exec.CommandContext(ctx, w.o.sam, append([]string{"local", "invoke"}, args...)...)
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0")
	return answerOf(cmd)
}

// app is what callbacks go to. It says what it got and whether it verifies.
func (w *world) app(keys receiver.Keys) http.Handler {
	return keys.Handler(time.Now, func(_ *http.Request, a receiver.Attempt) int {
		if a.Fault != nil {
			fmt.Println("The app got a callback that does not verify:", a.Fault)
			return http.StatusForbidden
		}
		fmt.Printf("The app got %s of %s, and it verifies: %s\n", a.Event, a.ExternalID, a.Status)
		return http.StatusOK
	})
}
