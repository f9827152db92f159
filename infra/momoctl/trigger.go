package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	webconsole "momoproxy/infra/console"
)

// triggered is what a trigger did.
type triggered struct {
	Reference string `json:"referenceId,omitempty"`
	Text      string `json:"text"`
}

func (c cli) trigger() *cobra.Command {
	return &cobra.Command{
		Use: "trigger EVENT", Short: "have the running local system start a payment that ends in an event",
		Long: `Has the running infra/local start a payment of the demo app that ends in the event named:
payment.successful, payment.failed, payment.timeout (which moves the clock forward by 25
hours), payment.held, answer.lost, callback.lost, callback.forged, callback.repeated or
invoice.created. It speaks to the console of infra/local, whose address is in the folder.`,
		Example: `  momoctl trigger payment.failed`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error { return c.localOnly() },
		RunE: func(command *cobra.Command, args []string) error {
			v, err := c.triggerAt(command.Context(), args[0])
			if err != nil {
				return err
			}
			s := &session{cli: c}
			return s.answer(v, func(t *text) {
				t.line("%s", v.Text)
				t.line("See it with: momoctl payment show %s", v.Reference)
			})
		},
	}
}

func (c cli) triggerAt(ctx context.Context, event string) (v triggered, err error) {
	text, err := os.ReadFile(filepath.Join(c.data, webconsole.RunningFile))
	if errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("no running system with a console over %q: start \"go run ./infra/local\", or name its folder with --data", c.data)
	}
	var at webconsole.Running
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err != nil {
		return v, err
	}
	body, _ := json.Marshal(map[string]string{"event": event}) // always marshals
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL+"api/local/trigger", strings.NewReader(string(body)))
	if err != nil {
		return v, err
	}
	request.Header.Set(webconsole.TokenHeader, at.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return v, fmt.Errorf("the system over %q does not run: %w", c.data, err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Reference string `json:"reference"`
		Text      string `json:"text"`
		Error     string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return v, fmt.Errorf("the console of the system over %q answered %s", c.data, response.Status)
	}
	if answer.Error != "" {
		return v, refused("%s", answer.Error)
	}
	return triggered{answer.Reference, answer.Text}, nil
}
