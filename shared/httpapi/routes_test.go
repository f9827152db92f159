package httpapi_test

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"momoproxy"
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/host"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/queue"
)

// What openapi.yaml describes, what the template deploys, of which function,
// and what the table of routes says are the same. That infra/local serves each
// of the template's is its own condition to start.
func TestRoutesAgree(t *testing.T) {
	var template struct {
		Resources map[string]struct {
			Properties struct {
				CodeURI yaml.Node `yaml:"CodeUri"`
				Events  map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Method string `yaml:"Method"`
						Path   string `yaml:"Path"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(momoproxy.Template, &template); err != nil {
		t.Fatal(err)
	}
	var deployed []httpapi.Route
	for _, r := range template.Resources {
		for _, e := range r.Properties.Events {
			if e.Type == "HttpApi" {
				deployed = append(deployed, httpapi.Route{Method: e.Properties.Method,
					Path: cmp.Or(e.Properties.Path, httpapi.DefaultRoute), Function: path.Base(r.Properties.CodeURI.Value)})
			}
		}
	}
	all := routes.Over(assembly.Parts{Host: host.Machine(), Providers: providers.All()}, nil, nil)
	byKey := func(a, b httpapi.Route) int { return cmp.Compare(a.Key(), b.Key()) }
	slices.SortFunc(deployed, byKey)
	routes := slices.SortedFunc(slices.Values(all.Routes()), byKey)
	if diff := gocmp.Diff(routes, deployed); diff != "" {
		t.Errorf("routes (-Routes +template.yaml):\n%s", diff)
	}
	var keys []string
	for _, r := range routes {
		if r.Path != httpapi.DefaultRoute {
			keys = append(keys, r.Key())
		}
	}
	if diff := gocmp.Diff(keys, openapi.routes()); diff != "" {
		t.Errorf("routes (-Routes +openapi.yaml):\n%s", diff)
	}
	for key, handler := range all.Handlers() {
		if handler == nil {
			t.Errorf("%s has no handler", key)
		}
	}
}

// deaf is a queue that does not answer.
func deaf(queue.Queue) queue.Queue { return deafQueue{} }

type deafQueue struct{}

var errDeaf = errors.New("no answer")

func (deafQueue) Send(context.Context, ...queue.Message) error { return errDeaf }
func (deafQueue) Receive(context.Context, int, time.Duration, time.Duration) ([]queue.Received, error) {
	return nil, errDeaf
}
func (deafQueue) Delete(context.Context, ...string) error { return errDeaf }
func (deafQueue) Depth(context.Context) (int, int, error) { return 0, 0, errDeaf }
