package httpapi_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"momoproxy"
	"momoproxy/infra/testbed"
	"momoproxy/shared/queue"
)

// What openapi.yaml describes, what the template deploys and what these tests
// call are the same routes. That infra/local serves each of the template's is
// its own condition to start.
func TestRoutesAgree(t *testing.T) {
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Events map[string]struct {
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
	var deployed []string
	for _, r := range template.Resources {
		for _, e := range r.Properties.Events {
			if e.Type == "HttpApi" {
				deployed = append(deployed, e.Properties.Method+" "+e.Properties.Path)
			}
		}
	}
	slices.Sort(deployed)
	if diff := cmp.Diff(openapi.routes(), deployed); diff != "" {
		t.Errorf("routes (-openapi.yaml +template.yaml):\n%s", diff)
	}
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		served := w.Routes()
		slices.Sort(served)
		if diff := cmp.Diff(openapi.routes(), served); diff != "" {
			t.Errorf("routes (-openapi.yaml +handlers):\n%s", diff)
		}
	})
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
