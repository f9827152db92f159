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
	Only     []string // dynamodb:LeadingKeys, as prefixes; nil: any
	Except   []string // never these
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
	for id, other := range s.resources { // policies that name their roles
		var p struct {
			Roles          []string
			PolicyDocument policyDocument
		}
		if other.Type != "AWS::IAM::ManagedPolicy" {
			continue
		}
		if s.properties(t, id, &p); slices.Contains(p.Roles, s.name+"-"+role) {
			all = append(all, p.PolicyDocument.grants(t, id)...)
		}
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
		g := grant{Policy: policy}
		for operator, keys := range statement.Condition {
			for key, values := range keys {
				switch operator + " " + key {
				case "ForAnyValue:StringEquals dynamodb:EnclosingOperation":
					g.Within = values
				case "ForAllValues:StringEquals dynamodb:LeadingKeys":
					g.Only = values
				case "ForAllValues:StringLike dynamodb:LeadingKeys":
					g.Only = prefixes(t, policy, values)
				case "ForAllValues:StringNotLike dynamodb:LeadingKeys":
					g.Except = prefixes(t, policy, values)
				default:
					t.Fatalf("%s: condition %s on %s is not read here", policy, operator, key)
				}
			}
		}
		for _, action := range statement.Action {
			for _, resource := range statement.Resource {
				if strings.Contains(action+resource, "*") {
					t.Errorf("%s: %s on %s is wider than a name", policy, action, resource)
				}
				g.Action, g.Resource = action, resource
				if g.Only == nil {
					all = append(all, g)
				}
				for _, only := range g.Only { // each has to be needed
					g.Only = []string{only}
					all = append(all, g)
				}
			}
		}
	}
	return all
}

// prefixes reads patterns such as "token#*".
func prefixes(t *testing.T, policy string, patterns []string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		prefix, ok := strings.CutSuffix(pattern, "#*")
		if !ok || strings.ContainsAny(prefix, "*?") {
			t.Fatalf("%s: pattern %s is not read here", policy, pattern)
		}
		all = append(all, prefix)
	}
	return all
}

func (g grant) allows(u use) bool {
	return g.Action == u.Action && g.Resource == u.Resource &&
		(g.Within == nil || slices.Contains(g.Within, u.Within)) &&
		(g.Only == nil || slices.Contains(g.Only, u.Keys)) && !slices.Contains(g.Except, u.Keys)
}

func (g grant) String() string {
	text := g.Policy + ": " + g.Action + " on " + g.Resource
	if g.Only != nil {
		text += " of " + strings.Join(g.Only, ", ")
	}
	return text
}

func allowed(grants []grant, u use) bool {
	return slices.ContainsFunc(grants, func(g grant) bool { return g.allows(u) })
}

// unusedBy says why a function may hold a grant that it does not use here.
func unusedBy(g grant) string {
	switch {
	case strings.HasPrefix(g.Action, "logs:"):
		return "used by Lambda, for the function's output"
	case g.Policy == "ForwarderRole/deliveries" && strings.HasPrefix(g.Action, "sqs:"):
		return "used by the event source mapping"
	case g.Policy == "EndpointPolicy" && slices.Equal(g.Only, []string{"key"}):
		return "used while an app's key is being replaced: was the new one used?"
	}
	return ""
}

// shared says that one of those who hold a grant uses it for all: which one
// fetches MTN's token or notes the use of a key is a matter of who comes first.
func shared(g grant) bool {
	return (g.Policy == "MtnPolicy" || g.Policy == "MtnPayoutsPolicy" || g.Policy == "AppPolicy") && g.Action == "dynamodb:PutItem"
}

// checkRefusals holds the roles to what no function may do, or only those that
// are named: what is open to the world must not change apps or their keys, and
// what is lost must not be deleted.
func checkRefusals(t *testing.T, s *stack) {
	main := "arn:MainTable"
	secret := func(name string) use {
		return use{Action: "ssm:GetParameters", Resource: "arn:aws:ssm:" + region + ":123456789012:parameter/" + s.name + "/" + name}
	}
	app := []string{"request-to-pay", "status", "payments", "refunds"}
	for _, c := range []struct {
		use use
		may []string
	}{
		{use{Action: "dynamodb:PutItem", Resource: main, Keys: "client"}, nil},
		{use{Action: "dynamodb:PutItem", Resource: main, Keys: "key"}, app},
		{use{Action: "dynamodb:PutItem", Resource: main, Keys: "endpoint"}, []string{"forwarder", "reconciler"}},
		{use{Action: "dynamodb:GetItem", Resource: main, Keys: "client"}, append(slices.Clone(app), "forwarder", "reconciler")},
		{use{Action: "dynamodb:PutItem", Resource: main, Keys: "token"}, []string{"request-to-pay", "status", "refunds", "mtn-callback", "reconciler"}},
		{use{Action: "dynamodb:BatchGetItem", Resource: main, Keys: "payment"}, []string{"payments", "status"}},
		{use{Action: "dynamodb:BatchGetItem", Resource: main, Keys: "client"}, nil},
		{use{Action: "dynamodb:Query", Resource: main, Keys: "client"}, nil},
		{use{Action: "dynamodb:Query", Resource: main, Keys: "key"}, nil},
		{use{Action: "dynamodb:DeleteItem", Resource: main, Keys: "payment", Within: "TransactWriteItems"}, nil},
		{use{Action: "dynamodb:DeleteItem", Resource: main, Keys: "client", Within: "TransactWriteItems"}, nil},
		{use{Action: "dynamodb:DeleteItem", Resource: main, Keys: "key", Within: "TransactWriteItems"}, nil},
		{use{Action: "dynamodb:DeleteItem", Resource: main, Keys: "external"}, nil},
		{use{Action: "dynamodb:GetItem", Resource: "arn:AuditTable", Keys: "payment"}, nil},
		{secret("payer-key"), []string{"request-to-pay"}},
		{secret("payouts/mtn"), []string{"refunds", "reconciler"}},
		{secret("accounts/mtn"), []string{"request-to-pay", "status", "mtn-callback", "reconciler"}},
		{secret("sealing-keys"), []string{"request-to-pay", "status", "refunds", "mtn-callback", "forwarder", "reconciler"}},
	} {
		for name, d := range s.functions(t) {
			if got, want := allowed(s.grants(t, d), c.use), slices.Contains(c.may, name); got != want {
				t.Errorf("%s may %s of %q within %q on %s: %t; want %t", name, c.use.Action, c.use.Keys, c.use.Within, c.use.Resource, got, want)
			}
		}
	}
}

// checkPolicies compares what each function did with what its role allows:
// everything done is allowed, and everything allowed was done.
func checkPolicies(t *testing.T, s *stack, r *recorder) {
	used := r.used()
	functions := s.functions(t)
	for _, u := range used {
		if _, known := functions[u.Function]; !known {
			t.Errorf("not a function of the template: %s", u)
		}
	}
	for name, d := range functions {
		grants := s.grants(t, d)
		done := slices.DeleteFunc(slices.Clone(used), func(u use) bool { return u.Function != name })
		if len(done) == 0 {
			t.Errorf("nothing was recorded of %s", name)
		}
		for _, u := range done {
			t.Log(u)
			if !allowed(grants, u) {
				t.Errorf("its role does not allow what it did: %s", u)
			}
		}
		for _, g := range grants {
			doers := done
			if shared(g) {
				doers = used
			}
			needed, why := slices.ContainsFunc(doers, g.allows), unusedBy(g)
			switch {
			case needed && why != "":
				t.Errorf("%s does use %s", name, g)
			case !needed && why == "":
				t.Errorf("%s never uses %s", name, g)
			}
		}
	}
}
