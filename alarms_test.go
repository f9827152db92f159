package momoproxy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"momoproxy/shared/telemetry"
)

// watched is what these tests read of an alarm or the dashboard.
type watched struct {
	Type       string `yaml:"Type"`
	Properties struct {
		AlarmDescription string    `yaml:"AlarmDescription"`
		AlarmActions     yaml.Node `yaml:"AlarmActions"`
		seenMetric       `yaml:",inline"`
		Metrics          []struct {
			MetricStat struct {
				Metric seenMetric `yaml:"Metric"`
			} `yaml:"MetricStat"`
		} `yaml:"Metrics"`
		DashboardBody yaml.Node `yaml:"DashboardBody"`
	} `yaml:"Properties"`
}

type seenMetric struct {
	Namespace  string `yaml:"Namespace"`
	MetricName string `yaml:"MetricName"`
	Dimensions []struct {
		Name  string    `yaml:"Name"`
		Value yaml.Node `yaml:"Value"`
	} `yaml:"Dimensions"`
}

// ours is the namespace of the metrics that are read off log lines, as the
// template writes it.
const ours = "AWS::StackName"

func readWatched(t *testing.T) map[string]watched {
	t.Helper()
	var s struct {
		Resources map[string]watched `yaml:"Resources"`
	}
	readYAML(t, "template.yaml", &s)
	return s.Resources
}

func alarms(resources map[string]watched) map[string]watched {
	all := maps.Clone(resources)
	maps.DeleteFunc(all, func(_ string, r watched) bool { return r.Type != "AWS::CloudWatch::Alarm" })
	return all
}

// metrics are all that an alarm is computed from.
func (w watched) metrics() []seenMetric {
	var all []seenMetric
	if w.Properties.MetricName != "" {
		all = append(all, w.Properties.seenMetric)
	}
	for _, m := range w.Properties.Metrics {
		if m.MetricStat.Metric.MetricName != "" {
			all = append(all, m.MetricStat.Metric)
		}
	}
	return all
}

// filtered are the metrics that the template itself reads off the functions'
// log, with what it reads there.
func filtered(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for id, r := range readStack(t).Resources {
		if r.Type != "AWS::Logs::MetricFilter" {
			continue
		}
		if r.Properties.LogGroupName.Value != "FunctionLogs" {
			t.Errorf("%s reads %s", id, r.Properties.LogGroupName.Value)
		}
		for _, m := range r.Properties.MetricTransformations {
			all[m.MetricName] = r.Properties.FilterPattern
		}
	}
	return all
}

// emitted says whether log lines carry a metric under these dimensions.
func emitted(t *testing.T, name string, dimensions []string) bool {
	if _, ok := filtered(t)[name]; ok && len(dimensions) == 0 {
		return true
	}
	dimensions = slices.Sorted(slices.Values(dimensions))
	for _, m := range telemetry.Metrics {
		if m.Name != name {
			continue
		}
		for _, set := range m.DimensionSets() {
			if slices.Equal(dimensions, slices.Sorted(slices.Values(set))) {
				return true
			}
		}
	}
	return false
}

// A metric under another name, or with other dimensions, is another metric: its
// alarm would be silent for good.
func TestAlarmsWatchWhatIsEmitted(t *testing.T) {
	t.Parallel()
	counted := 0
	for id, r := range alarms(readWatched(t)) {
		if len(r.metrics()) == 0 {
			t.Errorf("%s watches nothing", id)
		}
		for _, m := range r.metrics() {
			if m.Namespace != ours {
				continue
			}
			counted++
			var dimensions []string
			for _, d := range m.Dimensions {
				dimensions = append(dimensions, d.Name)
			}
			if !emitted(t, m.MetricName, dimensions) {
				t.Errorf("%s: no line tells of %s by %v", id, m.MetricName, dimensions)
			}
		}
	}
	if counted == 0 {
		t.Error("no alarm watches a metric of ours")
	}
}

// board is the dashboard's body.
type board struct {
	Widgets []struct {
		Type       string
		X, Y       int
		Width      int
		Height     int
		Properties struct {
			Title   string
			Alarms  []string
			Metrics [][]any
		}
	}
}

var (
	ofFunctions = regexp.MustCompile(`SEARCH\('\{AWS/Lambda,FunctionName\} MetricName="(\w+)"', '(\w+)', \d+\)`)
	search      = regexp.MustCompile(`SEARCH\('\{"\$\{AWS::StackName\}",([\w,]+)\} MetricName="(\w+)"', '(\w+)', \d+\)`)
	substituted = regexp.MustCompile(`\$\{(\w+)(?:\.\w+)?\}`)
)

func readBoard(t *testing.T) (board, string) {
	t.Helper()
	node := readWatched(t)["Dashboard"].Properties.DashboardBody
	body := node.Content[0].Value // of what !Sub takes; the names of tables follow
	var b board
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatalf("the dashboard is not JSON: %v", err)
	}
	return b, body
}

// shown are the metrics of ours that the dashboard shows, with their
// dimensions.
func (b board) shown(t *testing.T) map[string][]string {
	t.Helper()
	shown := map[string][]string{}
	for _, w := range b.Widgets {
		for _, row := range w.Properties.Metrics {
			if of, ok := row[0].(map[string]any); ok {
				found := search.FindStringSubmatch(fmt.Sprint(of["expression"]))
				if ofFunctions.MatchString(fmt.Sprint(of["expression"])) {
					continue
				}
				if found == nil {
					t.Errorf("%s: what is %v?", w.Properties.Title, of["expression"])
					continue
				}
				shown[found[2]] = strings.Split(found[1], ",")
			} else if row[0] == "${AWS::StackName}" {
				if _, options := row[2].(map[string]any); !options {
					t.Errorf("%s: %v has dimensions; search for them", w.Properties.Title, row)
				}
				shown[row[1].(string)] = nil
			}
		}
	}
	return shown
}

func TestDashboardShowsWhatIsEmitted(t *testing.T) {
	t.Parallel()
	b, body := readBoard(t)
	for name, dimensions := range b.shown(t) {
		if !emitted(t, name, dimensions) {
			t.Errorf("no line tells of %s by %v", name, dimensions)
		}
	}
	resources := readWatched(t)
	for _, found := range substituted.FindAllStringSubmatch(body, -1) {
		if _, ok := resources[found[1]]; !ok && found[1] != "Main" && found[1] != "Audit" {
			t.Errorf("there is no %s", found[1])
		}
	}
	for _, w := range b.Widgets {
		if w.Width == 0 || w.Height == 0 || w.X+w.Width > 24 {
			t.Errorf("%s: %d wide at %d, of 24", w.Properties.Title, w.Width, w.X)
		}
	}
}

// Each metric costs by the month: none is emitted that nobody looks at.
func TestEveryMetricIsLookedAt(t *testing.T) {
	t.Parallel()
	b, _ := readBoard(t)
	shown := b.shown(t)
	resources := readWatched(t)
	for _, r := range alarms(resources) {
		for _, m := range r.metrics() {
			if m.Namespace == ours {
				shown[m.MetricName] = nil
			}
		}
	}
	for _, m := range telemetry.Metrics {
		if _, ok := shown[m.Name]; !ok {
			t.Errorf("nobody looks at %s", m.Name)
		}
	}
	for name := range filtered(t) {
		if _, ok := shown[name]; !ok {
			t.Errorf("nobody looks at %s", name)
		}
	}
}

// A function or an alarm that is added is watched, too. Errors are read off the
// log of all functions, and throttles are of all functions: no list has to name
// one.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	resources := readWatched(t)
	_, body := readBoard(t)
	watches := func(alarm, namespace, metric string, dimensions int) {
		t.Helper()
		if all := resources[alarm].metrics(); len(all) != 1 || all[0].Namespace != namespace || all[0].MetricName != metric || len(all[0].Dimensions) != dimensions {
			t.Errorf("%s watches %+v", alarm, all)
		}
	}
	watches("FunctionErrorsAlarm", ours, "FailedRuns", 0)
	watches("ThrottlesAlarm", "AWS/Lambda", "Throttles", 0)
	if got, want := filtered(t)["FailedRuns"], `{ $.type = "platform.report" && $.record.status != "success" }`; got != want {
		t.Errorf("a failed run is %s", got)
	}
	var shown []string
	for _, found := range ofFunctions.FindAllStringSubmatch(strings.ReplaceAll(body, `\"`, `"`), -1) {
		shown = append(shown, found[1]+" "+found[2])
	}
	if want := []string{"Errors Sum", "Throttles Sum", "ConcurrentExecutions Maximum", "Duration p99"}; !slices.Equal(shown, want) {
		t.Errorf("the dashboard shows %v of the functions, not %v", shown, want)
	}
	s := readStack(t)
	if l := s.Globals.Function.LoggingConfig; l.LogGroup.Value != "FunctionLogs" || l.LogFormat != "JSON" || l.SystemLogLevel != "INFO" {
		t.Errorf("the functions log %+v: their runs are not reported", l)
	}
	for id, r := range resources {
		switch r.Type {
		case "AWS::Serverless::Function":
			if s.Resources[id].Properties.LoggingConfig.Kind != 0 {
				t.Errorf("%s logs elsewhere than the others", id)
			}
			_, ofOneProvider := s.Resources[id].Properties.Environment.Variables["PROVIDER"]
			if !ofOneProvider && !slices.ContainsFunc(resources["DurationsAlarm"].metrics(), func(m seenMetric) bool {
				return m.Namespace == "AWS/Lambda" && len(m.Dimensions) == 1 && m.Dimensions[0].Value.Value == id
			}) {
				t.Errorf("DurationsAlarm does not watch %s", id)
			}
		case "AWS::CloudWatch::Alarm":
			if !strings.Contains(body, `"${`+id+`.Arn}"`) {
				t.Errorf("%s is not on the dashboard", id)
			}
		}
	}
}

// readPage is a page for operators.
func readPage(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// An operator who is paged finds what to do: each alarm notifies somebody, says
// what it means and what to do first, and has an entry in docs/operate.md.
func TestAlarmsAreExplained(t *testing.T) {
	t.Parallel()
	page := readPage(t, "docs/operate.md")
	all := alarms(readWatched(t))
	for id, r := range all {
		if n := len(r.Properties.AlarmDescription); n < 100 || n > 1024 {
			t.Errorf("%s: a description of %d bytes", id, n)
		}
		if !strings.Contains(r.Properties.AlarmDescription, " First: ") {
			t.Errorf("%s does not say what to do first", id)
		}
		if r.Properties.AlarmActions.Kind == 0 {
			t.Errorf("%s tells nobody", id)
		}
		if !strings.Contains(page, "\n| `"+strings.TrimSuffix(id, "Alarm")+"` |") {
			t.Errorf("%s has no entry in docs/operate.md", id)
		}
	}
	for _, row := range regexp.MustCompile("\n\\| `([A-Z]\\w+)` \\|").FindAllStringSubmatch(page, -1) {
		if _, ok := all[row[1]+"Alarm"]; !ok {
			t.Errorf("docs/operate.md has an entry for an alarm %s that does not exist", row[1])
		}
	}
}

// Each alarm has one of two severities, and the page names those that wake
// somebody.
func TestAlarmsHaveASeverity(t *testing.T) {
	t.Parallel()
	var pages []string
	for id, r := range alarms(readWatched(t)) {
		var topics []string
		if err := r.Properties.AlarmActions.Decode(&topics); err != nil || len(topics) != 1 {
			t.Errorf("%s tells %v: %v", id, topics, err)
			continue
		}
		switch topics[0] {
		case "PageTopic":
			pages = append(pages, strings.TrimSuffix(id, "Alarm"))
		case "TicketTopic":
		default:
			t.Errorf("%s tells %s", id, topics[0])
		}
	}
	_, after, _ := strings.Cut(readPage(t, "docs/operate.md"), "**Pages:** ")
	line, _, _ := strings.Cut(after, ".\n")
	said := strings.Split(strings.ReplaceAll(line, "`", ""), ", ")
	slices.Sort(said)
	if slices.Sort(pages); !slices.Equal(said, pages) {
		t.Errorf("docs/operate.md names %v, the template %v", said, pages)
	}
}

// What the metrics cost is known before the bill: every combination of
// dimensions is a metric of its own.
func TestMetricsCostWhatThePageSays(t *testing.T) {
	t.Parallel()
	routes := 0
	for _, f := range readStack(t).functions() {
		for _, trigger := range f.triggers() {
			if trigger != "queue" && trigger != "schedule" {
				routes++
			}
		}
	}
	values := map[string]int{
		"route":     routes,
		"provider":  3,
		"operation": 2, // submit, status
		"status":    4, // endings
		"reason":    8, // of delivery.Reason
	}
	sets := map[string]int{}
	for _, m := range telemetry.Metrics {
		for _, set := range m.DimensionSets() {
			n := 1
			for _, name := range set {
				if values[name] == 0 {
					t.Errorf("how many values has %s, by which %s is told?", name, m.Name)
				}
				n *= values[name]
			}
			sets[m.Name+strings.Join(set, ",")] = n
		}
	}
	sum := len(filtered(t))
	for _, n := range sets {
		sum += n
	}
	said := regexp.MustCompile(`at most (\d+) custom metrics`).FindStringSubmatch(readPage(t, "docs/capacity-and-cost.md"))
	if said == nil {
		t.Fatal("docs/capacity-and-cost.md does not say how many custom metrics there are")
	}
	if most, _ := strconv.Atoi(said[1]); sum > most || sum < most-20 {
		t.Errorf("%d custom metrics, docs/capacity-and-cost.md says at most %d", sum, most)
	}
	if row := fmt.Sprintf("| %s metrics at $0.30 |", said[1]); !strings.Contains(readPage(t, "docs/capacity-and-cost.md"), row) {
		t.Errorf("docs/capacity-and-cost.md has no %q", row)
	}
}
