package momoproxy_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The functions that ask providers can be put behind a fixed address, and are
// not unless it is asked for. Lambda may do so by their roles; their code may
// not.
func TestProvidersAreCalledFromTheNetwork(t *testing.T) {
	t.Parallel()
	var s struct {
		Parameters map[string]struct {
			Default *string `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Role              yaml.Node   `yaml:"Role"`
				VpcConfig         yaml.Node   `yaml:"VpcConfig"`
				ManagedPolicyArns []yaml.Node `yaml:"ManagedPolicyArns"`
				Environment       environment `yaml:"Environment"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	readYAML(t, "template.yaml", &s)
	conditional := func(n yaml.Node) bool {
		return n.Tag == "!If" && n.Content[0].Value == "HasNetwork" && n.Content[2].Value == "AWS::NoValue"
	}
	for _, name := range []string{"SubnetIds", "SecurityGroupIds"} {
		if p := s.Parameters[name]; p.Default == nil || *p.Default != "" {
			t.Errorf("%s is not empty by default", name)
		}
	}
	asked := 0
	for id, r := range s.Resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		_, asks := r.Properties.Environment.Variables["ACCOUNTS_PATH"]
		if _, refunds := r.Properties.Environment.Variables["PAYOUTS_PATH"]; refunds {
			asks = true
		}
		network := r.Properties.VpcConfig
		if network.Kind == yaml.AliasNode {
			network = *network.Alias
		}
		if inside := network.Kind != 0; inside != asks || inside && !conditional(network) {
			t.Errorf("%s asks providers: %t; is in the network: %t", id, asks, inside)
		}
		role := s.Resources[strings.TrimSuffix(r.Properties.Role.Value, ".Arn")]
		may := slices.ContainsFunc(role.Properties.ManagedPolicyArns, func(n yaml.Node) bool {
			return conditional(n) && n.Content[1].Value == "NetworkPolicy"
		})
		if may != asks {
			t.Errorf("%s asks providers: %t; Lambda may put it into a network: %t", id, asks, may)
		}
		if asks {
			asked++
		}
	}
	if asked == 0 {
		t.Error("nobody asks providers")
	}
}
