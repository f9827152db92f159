package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"momoproxy"
)

// version needs no store.
func (c cli) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "which release this is", Args: takes(nil),
		RunE: func(*cobra.Command, []string) error {
			s := &session{cli: c}
			return s.answer(map[string]string{"version": momoproxy.Version, "go": runtime.Version()}, func(t *text) {
				t.line("momoctl %s, built with %s", momoproxy.Version, runtime.Version())
			})
		},
	}
}
