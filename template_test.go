package momoproxy_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/httpapi"
)

// stack is what these tests read of template.yaml.
type stack struct {
	Parameters map[string]struct {
		Default yaml.Node `yaml:"Default"`
	} `yaml:"Parameters"`
	Globals struct {
		Function struct {
			Environment   environment `yaml:"Environment"`
			LoggingConfig struct {
				LogFormat      string    `yaml:"LogFormat"`
				SystemLogLevel string    `yaml:"SystemLogLevel"`
				LogGroup       yaml.Node `yaml:"LogGroup"`
			} `yaml:"LoggingConfig"`
		} `yaml:"Function"`
	} `yaml:"Globals"`
	Resources map[string]resource `yaml:"Resources"`
}

type resource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		CodeURI     string      `yaml:"CodeUri"`
		Timeout     int         `yaml:"Timeout"`
		Environment environment `yaml:"Environment"`
		Events      map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Method   string `yaml:"Method"`
				Path     string `yaml:"Path"`
				Schedule string `yaml:"Schedule"`

				RouteSettings map[string]yaml.Node `yaml:"RouteSettings"`

				ScalingConfig struct {
					MaximumConcurrency int `yaml:"MaximumConcurrency"`
				} `yaml:"ScalingConfig"`
			} `yaml:"Properties"`
		} `yaml:"Events"`
		DisableExecuteAPIEndpoint    yaml.Node                       `yaml:"DisableExecuteApiEndpoint"`
		ReservedConcurrentExecutions yaml.Node                       `yaml:"ReservedConcurrentExecutions"`
		RouteSettings                map[string]map[string]yaml.Node `yaml:"RouteSettings"`
		VisibilityTimeout            int                             `yaml:"VisibilityTimeout"`
		RedrivePolicy                struct {
			MaxReceiveCount int `yaml:"maxReceiveCount"`
		} `yaml:"RedrivePolicy"`
		LoggingConfig         yaml.Node `yaml:"LoggingConfig"`
		LogGroupName          yaml.Node `yaml:"LogGroupName"`
		FilterPattern         string    `yaml:"FilterPattern"`
		MetricTransformations []struct {
			MetricName  string `yaml:"MetricName"`
			MetricValue string `yaml:"MetricValue"`
		} `yaml:"MetricTransformations"`
		Namespace        string    `yaml:"Namespace"`
		MetricName       string    `yaml:"MetricName"`
		AlarmDescription string    `yaml:"AlarmDescription"`
		AlarmActions     yaml.Node `yaml:"AlarmActions"`
	} `yaml:"Properties"`
}

type environment struct {
	Variables map[string]yaml.Node `yaml:"Variables"`
}

func readStack(t *testing.T) stack {
	t.Helper()
	var s stack
	readYAML(t, "template.yaml", &s)
	return s
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// functions are the template's Lambda functions by the folder of their code.
func (s stack) functions() map[string]resource {
	found := map[string]resource{}
	for _, r := range s.Resources {
		if r.Type == "AWS::Serverless::Function" {
			found[path.Base(r.Properties.CodeURI)] = r
		}
	}
	return found
}

// triggers are a function's routes as API Gateway writes them, "schedule" and
// "queue".
func (r resource) triggers() []string {
	var all []string
	for _, e := range r.Properties.Events {
		switch e.Type {
		case "HttpApi":
			all = append(all, cmp.Or(strings.TrimSpace(e.Properties.Method+" "+e.Properties.Path), httpapi.DefaultRoute))
		case "Schedule":
			all = append(all, "schedule")
		case "SQS":
			all = append(all, "queue")
		}
	}
	slices.Sort(all)
	return all
}

// value is what a variable might hold once deployed: a parameter's default,
// or an address where the parameter has none.
func (s stack) value(n yaml.Node) string {
	switch n.Tag {
	case "!If":
		return s.value(*n.Content[1])
	case "!Ref":
		if p, ok := s.Parameters[n.Value]; ok {
			if p.Default.Value == "" {
				return "https://momopay.example.com"
			}
			return p.Default.Value
		}
	}
	return n.Value
}

func TestEveryFunctionHasItsFolder(t *testing.T) {
	t.Parallel()
	var deployed, written []string
	for folder := range readStack(t).functions() {
		deployed = append(deployed, "functions/"+folder+"/main.go")
	}
	written, err := filepath.Glob("functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(deployed)
	slices.Sort(written)
	if diff := gocmp.Diff(written, deployed); diff != "" {
		t.Errorf("functions (-written +deployed):\n%s", diff)
	}
}

func TestRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	var api struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	readYAML(t, "shared/httpapi/openapi.yaml", &api)
	var described, deployed []string
	for p, item := range api.Paths {
		for method := range item {
			if slices.Contains([]string{"get", "put", "post", "delete", "patch", "head", "options"}, method) {
				described = append(described, strings.ToUpper(method)+" "+p)
			}
		}
	}
	for _, f := range readStack(t).functions() {
		for _, trigger := range f.triggers() {
			if strings.Contains(trigger, " ") {
				deployed = append(deployed, trigger)
			}
		}
	}
	slices.Sort(described)
	slices.Sort(deployed)
	if diff := gocmp.Diff(described, deployed); diff != "" {
		t.Errorf("routes (-openapi.yaml +template.yaml):\n%s", diff)
	}
}

// Every trigger has at least one event under events/, and every event a
// trigger of the function in whose folder it lies.
func TestEventsFitTheTemplate(t *testing.T) {
	t.Parallel()
	covered := map[string][]string{}
	files, err := filepath.Glob("events/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			RouteKey       string            `json:"routeKey"`
			RawPath        string            `json:"rawPath"`
			PathParameters map[string]string `json:"pathParameters"`
			RequestContext struct {
				RouteKey string
				HTTP     struct{ Method, Path string }
			}
			Records    []struct{ EventSource string }
			DetailType string `json:"detail-type"`
		}
		if err := json.Unmarshal(source, &event); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		trigger := event.RouteKey
		switch {
		case event.DetailType == "Scheduled Event":
			trigger = "schedule"
		case len(event.Records) > 0:
			trigger = "queue"
		default:
			route := event.RouteKey
			if route == httpapi.DefaultRoute { // of any method and path
				route = event.RequestContext.HTTP.Method + " " + event.RequestContext.HTTP.Path
			}
			for name, value := range event.PathParameters {
				route = strings.Replace(route, "{"+name+"}", value, 1)
			}
			http := event.RequestContext.HTTP
			if got := http.Method + " " + http.Path; got != route || event.RawPath != http.Path || event.RequestContext.RouteKey != event.RouteKey {
				t.Errorf("%s contradicts itself about its route", file)
			}
		}
		function := filepath.Base(filepath.Dir(file))
		if !slices.Contains(covered[function], trigger) {
			covered[function] = append(covered[function], trigger)
		}
	}
	want := map[string][]string{}
	for name, f := range readStack(t).functions() {
		want[name] = f.triggers()
		slices.Sort(covered[name])
	}
	if diff := gocmp.Diff(want, covered); diff != "" {
		t.Errorf("triggers (-template.yaml +events/):\n%s", diff)
	}
}

// Each function gets what its main asks config for, and no variable that
// config does not know.
func TestEnvironmentSatisfiesConfig(t *testing.T) {
	t.Parallel()
	s := readStack(t)
	for name, f := range s.functions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			main, err := os.ReadFile("functions/" + name + "/main.go")
			if err != nil {
				t.Fatal(err)
			}
			var needs config.Needs
			for word, part := range map[string]config.Needs{
				"config.Table": config.Table, "config.Storage": config.Storage, "config.Sealing": config.Sealing,
				"config.PayerKey": config.PayerKey, "config.Queue": config.Queue, "config.Provider": config.Provider, "config.Payouts": config.Payouts,
			} {
				if strings.Contains(string(main), word) {
					needs |= part
				}
			}
			if needs == 0 {
				t.Fatal("its main does not say what it needs")
			}
			variables := map[string]string{}
			for _, e := range []environment{s.Globals.Function.Environment, f.Properties.Environment} {
				for variable, node := range e.Variables {
					variables[variable] = s.value(node)
				}
			}
			asked := map[string]bool{}
			if _, err := assembly.Configured(func(variable string) string {
				asked[variable] = true
				return variables[variable]
			}, needs, providers.All()...); err != nil {
				t.Errorf("config refuses the environment: %v", err)
			}
			for variable := range variables {
				// Those that begin with SSL_ are read by crypto/x509.
				if !asked[variable] && variable != "SSL_CERT_FILE" && variable != "SSL_CERT_DIR" {
					t.Errorf("config does not read %s", variable)
				}
			}
			for variable := range variables {
				need, secret := map[string]config.Needs{
					"ACCOUNTS_PATH": config.Provider, "PAYOUTS_PATH": config.Payouts, "SEALING_SECRET_ID": config.Sealing, "PAYER_SECRET_ID": config.PayerKey,
				}[variable]
				if secret && needs&need == 0 {
					t.Errorf("it is given %s, the name of secrets that it has no use for", variable)
				}
			}
		})
	}
}

func TestTimesFitTogether(t *testing.T) {
	t.Parallel()
	s := readStack(t)
	queue := s.Resources["DeliveryQueue"].Properties
	for name, f := range s.functions() {
		timeout := f.Properties.Timeout
		for _, trigger := range f.triggers() {
			switch {
			case trigger == "queue" && queue.VisibilityTimeout < 6*timeout:
				t.Errorf("%s: a message of %d s visibility comes back while %d s runs are throttled", name, queue.VisibilityTimeout, timeout)
			case trigger == "schedule" && timeout >= 60:
				t.Errorf("%s: runs of %d s overlap on a one-minute schedule", name, timeout)
			case trigger != "queue" && trigger != "schedule" && timeout >= 30:
				t.Errorf("%s: API Gateway gives up at 30 s, the function at %d s", name, timeout)
			}
		}
		if timeout == 0 {
			t.Errorf("%s has no timeout of its own", name)
		}
	}
	if queue.RedrivePolicy.MaxReceiveCount < 5 {
		t.Errorf("maxReceiveCount %d: throttled receives alone would fill the dead letters", queue.RedrivePolicy.MaxReceiveCount)
	}
}

// Callbacks have shares of their own, and so have the API's description and
// what no route takes, so that what anybody can send does not use up the
// apps'. Settings for a route that is not there would fail the deployment.
func TestCallbacksHaveTheirOwnThrottle(t *testing.T) {
	t.Parallel()
	s := readStack(t)
	var callbacks, settled []string
	for _, f := range s.functions() {
		for _, trigger := range f.triggers() {
			if strings.Contains(trigger, " /callback") || strings.Contains(trigger, " /webhooks/") || trigger == "GET /openapi.json" || trigger == httpapi.DefaultRoute {
				callbacks = append(callbacks, trigger)
			}
		}
	}
	all := maps.Clone(s.Resources["Api"].Properties.RouteSettings)
	for _, f := range s.functions() {
		for _, e := range f.Properties.Events {
			if e.Properties.RouteSettings != nil {
				all[e.Properties.Method+" "+e.Properties.Path] = e.Properties.RouteSettings
			}
		}
	}
	for route, settings := range all {
		settled = append(settled, route)
		for _, name := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit", "DetailedMetricsEnabled"} {
			if _, ok := settings[name]; !ok {
				t.Errorf("%s: without %s it gets API Gateway's default, not the stage's", route, name)
			}
		}
	}
	slices.Sort(callbacks)
	slices.Sort(settled)
	if diff := gocmp.Diff(callbacks, settled); diff != "" {
		t.Errorf("routes (-callbacks +with settings):\n%s", diff)
	}
}

// What stands before a domain of one's own cannot be walked around.
func TestOwnDomainClosesTheOtherAddress(t *testing.T) {
	t.Parallel()
	var got []string
	node := readStack(t).Resources["Api"].Properties.DisableExecuteAPIEndpoint
	if err := node.Decode(&got); err != nil || node.Tag != "!If" {
		t.Fatalf("%s %v: %v", node.Tag, got, err)
	}
	if diff := gocmp.Diff([]string{"HasDomain", "true", "false"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSharesLeaveRoom(t *testing.T) {
	t.Parallel()
	sum := 0
	for name, f := range readStack(t).functions() {
		share := f.Properties.ReservedConcurrentExecutions
		if share.Kind == 0 {
			continue
		}
		var n int
		if err := share.Content[1].Decode(&n); err != nil || n < 1 {
			t.Fatalf("%s: %d, %v", name, n, err)
		}
		sum += n
		for _, e := range f.Properties.Events {
			if most := e.Properties.ScalingConfig.MaximumConcurrency; most > n {
				t.Errorf("%s: its queue starts up to %d, its share is %d: the rest is throttled", name, most, n)
			}
		}
	}
	// Of an account's 1,000 AWS keeps 100 from being reserved.
	if sum == 0 || sum > 900 {
		t.Errorf("reserved in all: %d", sum)
	}
}
