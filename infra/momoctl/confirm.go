package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// yesFlag lets a program skip the question.
func yesFlag(c *cobra.Command, yes *bool) {
	c.Flags().BoolVar(yes, "yes", false, "do not ask")
}

// confirm asks the person at the keyboard. The question goes beside the
// output, which may be read by a program.
func (s *session) confirm(question func(*text)) error {
	t := &text{}
	question(t)
	fmt.Fprintf(s.err, "%sType yes to go on: ", t.b.String())
	line, err := bufio.NewReader(io.LimitReader(s.in, 100)).ReadString('\n')
	if strings.TrimSpace(line) == "yes" && err == nil {
		return nil
	}
	return refused("not confirmed, nothing was done; --yes does not ask")
}
