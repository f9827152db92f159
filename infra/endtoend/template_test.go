package endtoend

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"momoproxy"
)

// stack is template.yaml with every reference resolved, as CloudFormation
// would leave it. A resource's Ref is "<stack>-<logical id>" unless values
// say otherwise, its Arn "arn:<logical id>".
type stack struct {
	name       string
	values     map[string]string // parameters, and what a resource's Ref gives
	conditions map[string]bool
	resources  map[string]resource
	variables  map[string]string // of all functions
}

type resource struct {
	Type       string
	Properties json.RawMessage
}

// deployed is one function as the template describes it.
type deployed struct {
	resource    string
	CodeURI     string `json:"CodeUri"`
	Role        string
	Timeout     int
	Environment struct{ Variables map[string]string }
}

func (d deployed) name() string { return path.Base(d.CodeURI) }

func (d deployed) timeout() time.Duration { return time.Duration(d.Timeout) * time.Second }

// deploy resolves the template for a stack with these values.
func deploy(t *testing.T, name string, values map[string]string) *stack {
	t.Helper()
	var content struct {
		Parameters map[string]struct {
			Default *string `yaml:"Default"`
		} `yaml:"Parameters"`
		Conditions map[string]yaml.Node `yaml:"Conditions"`
		Globals    yaml.Node            `yaml:"Globals"`
		Resources  map[string]yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(momoproxy.Template, &content); err != nil {
		t.Fatal(err)
	}
	s := &stack{name: name, values: map[string]string{
		"AWS::StackName": name, "AWS::Region": region, "AWS::AccountId": "123456789012",
		"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AlarmEmail": "operator@example.com", // the one parameter without a default
	}, conditions: map[string]bool{}, resources: map[string]resource{}}
	for parameter, p := range content.Parameters {
		if p.Default != nil {
			s.values[parameter] = *p.Default
		}
	}
	for id := range content.Resources {
		s.values[id] = name + "-" + id
		s.values[id+".Arn"] = "arn:" + id
	}
	for key, value := range values {
		s.values[key] = value
	}
	for condition, node := range content.Conditions {
		s.conditions[condition] = s.holds(t, content.Conditions, &node)
	}
	for id, node := range content.Resources {
		var r resource
		s.into(t, id, &node, &r)
		s.resources[id] = r
	}
	var globals struct {
		Function struct {
			Environment struct{ Variables map[string]string }
		}
	}
	s.into(t, "Globals", &content.Globals, &globals)
	s.variables = globals.Function.Environment.Variables
	return s
}

// holds evaluates a condition.
func (s *stack) holds(t *testing.T, all map[string]yaml.Node, node *yaml.Node) bool {
	t.Helper()
	switch node.Tag {
	case "!Condition":
		other, ok := all[node.Value]
		if !ok {
			t.Fatalf("unknown condition %s", node.Value)
		}
		return s.holds(t, all, &other)
	case "!Not":
		return !s.holds(t, all, node.Content[0])
	case "!And":
		return !slices.ContainsFunc(node.Content, func(n *yaml.Node) bool { return !s.holds(t, all, n) })
	case "!Equals":
		left, err := s.resolve(node.Content[0])
		right, err2 := s.resolve(node.Content[1])
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return left == right
	}
	t.Fatalf("line %d: condition %s is not known here", node.Line, node.Tag)
	return false
}

// into decodes a part of the template after resolving it.
func (s *stack) into(t *testing.T, id string, node *yaml.Node, out any) {
	t.Helper()
	value, err := s.resolve(node)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
}

// properties decodes a resource's properties.
func (s *stack) properties(t *testing.T, id string, out any) {
	t.Helper()
	if err := json.Unmarshal(s.resources[id].Properties, out); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
}

// functions are the template's Lambda functions by the folder of their code.
func (s *stack) functions(t *testing.T) map[string]deployed {
	t.Helper()
	all := map[string]deployed{}
	for id, r := range s.resources {
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		d := deployed{resource: id}
		s.properties(t, id, &d)
		if d.Environment.Variables == nil {
			d.Environment.Variables = map[string]string{}
		}
		for variable, value := range s.variables {
			if _, own := d.Environment.Variables[variable]; !own {
				d.Environment.Variables[variable] = value
			}
		}
		all[d.name()] = d
	}
	return all
}

// absent is what !Ref AWS::NoValue gives: the place does not exist.
type absent struct{}

func (s *stack) resolve(node *yaml.Node) (any, error) {
	if node.Kind == yaml.AliasNode {
		return s.resolve(node.Alias)
	}
	switch node.Tag {
	case "!Ref":
		if node.Value == "AWS::NoValue" {
			return absent{}, nil
		}
		return s.lookUp(node.Value)
	case "!GetAtt":
		return s.lookUp(node.Value)
	case "!Sub":
		return s.substitute(node.Value)
	case "!If":
		holds, ok := s.conditions[node.Content[0].Value]
		if !ok {
			return nil, fmt.Errorf("unknown condition %s", node.Content[0].Value)
		}
		if holds {
			return s.resolve(node.Content[1])
		}
		return s.resolve(node.Content[2])
	}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		return nil, fmt.Errorf("line %d: %s is not known here", node.Line, node.Tag)
	}
	switch node.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			value, err := s.resolve(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			if _, gone := value.(absent); !gone {
				m[node.Content[i].Value] = value
			}
		}
		return m, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			value, err := s.resolve(item)
			if err != nil {
				return nil, err
			}
			if _, gone := value.(absent); !gone {
				list = append(list, value)
			}
		}
		return list, nil
	default:
		var value any
		err := node.Decode(&value)
		return value, err
	}
}

func (s *stack) lookUp(name string) (string, error) {
	if value, ok := s.values[name]; ok {
		return value, nil
	}
	if id, attribute, ok := strings.Cut(name, "."); ok && s.values[id] != "" {
		return s.values[id] + "." + attribute, nil
	}
	return "", fmt.Errorf("nothing gives %s a value", name)
}

var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

func (s *stack) substitute(text string) (string, error) {
	var fault error
	text = placeholder.ReplaceAllStringFunc(text, func(match string) string {
		value, err := s.lookUp(match[2 : len(match)-1])
		if err != nil {
			fault = err
		}
		return value
	})
	return text, fault
}
