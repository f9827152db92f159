package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// grant is one action on one resource that a policy allows.
type grant struct {
	Policy   string // where it stands: logical id, or role and policy name
	Action   string
	Resource string
	Within   []string // dynamodb:EnclosingOperation must be one of these; nil: any
}

// policyDocument is a policy as the template writes it.
type policyDocument struct {
	Statement []struct {
		Effect    string
		Action    oneOrMore
		Resource  oneOrMore
		Condition map[string]map[string]oneOrMore
	}
}

// oneOrMore reads a string or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// grants are all that a function's role allows.
func (s *stack) grants(t *testing.T, d deployed) []grant {
	t.Helper()
	role := strings.TrimPrefix(d.Role, "arn:")
	var r struct {
		ManagedPolicyArns []string
		Policies          []struct {
			PolicyName     string
			PolicyDocument policyDocument
		}
	}
	s.properties(t, role, &r)
	var all []grant
	for _, managed := range r.ManagedPolicyArns {
		id := strings.TrimPrefix(managed, s.name+"-")
		var p struct{ PolicyDocument policyDocument }
		s.properties(t, id, &p)
		all = append(all, p.PolicyDocument.grants(t, id)...)
	}
	for _, inline := range r.Policies {
		all = append(all, inline.PolicyDocument.grants(t, role+"/"+inline.PolicyName)...)
	}
	return all
}

func (p policyDocument) grants(t *testing.T, policy string) []grant {
	t.Helper()
	var all []grant
	for _, statement := range p.Statement {
		if statement.Effect != "Allow" {
			t.Fatalf("%s: %s statements are not read here", policy, statement.Effect)
		}
		var within []string
		for operator, keys := range statement.Condition {
			for key, values := range keys {
				if operator != "ForAnyValue:StringEquals" || key != "dynamodb:EnclosingOperation" {
					t.Fatalf("%s: condition %s on %s is not read here", policy, operator, key)
				}
				within = values
			}
		}
		for _, action := range statement.Action {
			for _, resource := range statement.Resource {
				if strings.Contains(action+resource, "*") {
					t.Errorf("%s: %s on %s is wider than a name", policy, action, resource)
				}
				all = append(all, grant{policy, action, resource, within})
			}
		}
	}
	return all
}

func (g grant) allows(u use) bool {
	return g.Action == u.Action && g.Resource == u.Resource && (g.Within == nil || slices.Contains(g.Within, u.Within))
}

// unusedFor says why a grant may stand though no run of these tests uses it.
func unusedFor(g grant) string {
	switch {
	case strings.HasPrefix(g.Action, "logs:"):
		return "used by Lambda, for the function's output"
	case g.Policy == "ForwarderRole/deliveries":
		return "used by the event source mapping"
	case g.Policy == "LedgerPolicy" && g.Action == "dynamodb:ConditionCheckItem":
		return "part of the table port; no use case checks a record without writing it"
	}
	return ""
}

// checkPolicies compares what the functions did with what their roles allow:
// everything done is allowed, and what a policy allows is of use to at least
// one of those who hold it.
func checkPolicies(t *testing.T, s *stack, r *recorder) {
	used := r.used()
	if len(used) == 0 {
		t.Fatal("nothing was recorded")
	}
	functions := s.functions(t)
	needed, held := map[string]bool{}, map[string]grant{}
	for name, d := range functions {
		grants := s.grants(t, d)
		for _, g := range grants {
			held[g.Policy+": "+g.Action+" on "+g.Resource] = g
		}
		for _, u := range used {
			if u.Function != name {
				continue
			}
			allowed := false
			for _, g := range grants {
				if g.allows(u) {
					allowed = true
					needed[g.Policy+": "+g.Action+" on "+g.Resource] = true
				}
			}
			if !allowed {
				t.Errorf("its role does not allow what it did: %s", u)
			}
		}
	}
	for _, u := range used {
		if _, known := functions[u.Function]; !known {
			t.Errorf("not a function of the template: %s", u)
		}
	}
	for key, g := range held {
		switch why := unusedFor(g); {
		case needed[key] && why != "" && !strings.HasPrefix(g.Action, "logs:"):
			t.Logf("used after all: %s", key)
		case needed[key]:
		case why != "":
			t.Logf("not used here: %s (%s)", key, why)
		default:
			t.Errorf("nobody uses %s", key)
		}
	}
}
