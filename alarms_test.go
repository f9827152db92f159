package momoproxy_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"momoproxy/shared/provider"
	"momoproxy/shared/telemetry"
)

var (
	comparison = regexp.MustCompile(`\$\.(\w+) !?= "([^"]*)"`)
	selector   = regexp.MustCompile(`\$\.(\w+)`)
)

// The lines that alarms are counted from exist: a renamed log line or field
// would silence its alarm for good.
func TestAlarmsCountWhatIsLogged(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, root := range []string{"functions", "shared"} {
		if err := filepath.WalkDir(root, func(name string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := os.ReadFile(name)
			sources.Write(source)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	code := sources.String()
	// calls are the statements that log the line; every one has every field.
	calls := func(message string) []string {
		return regexp.MustCompile(`(?s)\.Log\.\w+\(ctx, [\w.]*(?:, )?"`+regexp.QuoteMeta(message)+`".*?\)\n`).FindAllString(code, -1)
	}
	checkField := func(id, message, field string) {
		all := calls(message)
		if len(all) == 0 {
			t.Errorf("%s: no %s is logged", id, message)
		}
		for _, call := range all {
			if !strings.Contains(call, `"`+field+`", `) {
				t.Errorf("%s: no field %s in %s", id, field, call)
			}
		}
	}
	counted := map[string]bool{}
	s := readStack(t)
	for id, r := range s.Resources {
		if r.Type != "AWS::Logs::MetricFilter" {
			continue
		}
		if len(r.Properties.MetricTransformations) != 1 {
			t.Fatalf("%s: %d transformations", id, len(r.Properties.MetricTransformations))
		}
		to := r.Properties.MetricTransformations[0]
		counted[to.MetricName] = true
		// A line's name comes first; what follows until the next is about it.
		message := ""
		for _, c := range comparison.FindAllStringSubmatch(r.Properties.FilterPattern, -1) {
			field, value := c[1], c[2]
			if field == "message" {
				message = value
				if len(calls(message)) == 0 {
					t.Errorf("%s: no %s is logged", id, message)
				}
				continue
			}
			checkField(id, message, field)
			// A value stands alone in the sources, or a part of one within.
			if part := strings.Trim(value, "*"); !strings.Contains(code, part) || part == value && !strings.Contains(code, `"`+value+`"`) {
				t.Errorf("%s: nothing is called %q", id, value)
			}
		}
		for _, field := range selector.FindAllStringSubmatch(to.MetricValue, -1) {
			checkField(id, message, field[1])
		}
	}
	for id, r := range s.Resources {
		if r.Type == "AWS::CloudWatch::Alarm" && r.Properties.Namespace == "AWS::StackName" {
			if !counted[r.Properties.MetricName] {
				t.Errorf("%s: nothing counts %s", id, r.Properties.MetricName)
			}
			delete(counted, r.Properties.MetricName)
		}
	}
	for name := range counted {
		t.Errorf("no alarm watches %s", name)
	}
}

// What redaction leaves of the error is what the filter looks for.
func TestRefusedCredentialsAreNotRedacted(t *testing.T) {
	t.Parallel()
	want := strings.Split(readStack(t).Resources["CredentialsRefusedFilter"].Properties.FilterPattern, "*")[1]
	var line strings.Builder
	telemetry.New(&line, slog.LevelInfo).Warn("provider.not_ready", "error", fmt.Errorf("%w: MTN token call: HTTP 401", provider.ErrCredentials))
	if !strings.Contains(line.String(), want) {
		t.Errorf("%q is not in %s", want, line.String())
	}
}

// Whoever is woken finds what to do: each alarm tells somebody, says what it
// means, and is in the README.
func TestAlarmsAreExplained(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, operate, _ := strings.Cut(string(readme), "\n## Operate\n")
	operate, _, _ = strings.Cut(operate, "\n## ")
	for id, r := range readStack(t).Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		if n := len(r.Properties.AlarmDescription); n < 100 || n > 1024 {
			t.Errorf("%s: a description of %d bytes", id, n)
		}
		if r.Properties.AlarmActions.Kind == 0 {
			t.Errorf("%s tells nobody", id)
		}
		if !strings.Contains(operate, "`"+strings.TrimSuffix(id, "Alarm")+"`") {
			t.Errorf("%s is not in the README's Operate", id)
		}
	}
}
