package momoproxy_test

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/provider"
)

// block is what stands under one provider's heading in the template.
type block struct {
	title     string
	resources map[string]blockResource
}

// blockResource is a resource with what else these tests read of it.
type blockResource struct {
	resource
	also struct {
		Properties struct {
			Role           yaml.Node `yaml:"Role"`
			Roles          []string  `yaml:"Roles"`
			PolicyDocument yaml.Node `yaml:"PolicyDocument"`
			Events         map[string]struct {
				Properties struct {
					RouteSettings map[string]yaml.Node `yaml:"RouteSettings"`
				} `yaml:"Properties"`
			} `yaml:"Events"`
		} `yaml:"Properties"`
	}
}

var heading = regexp.MustCompile(`^  # -{4,} ?(?:provider: (.*?) -+)?`)

// blocks are the providers' blocks in their order. The first, without a title,
// has all else.
func blocks(template []byte) ([]block, error) {
	found, of := []block{{"", map[string]blockResource{}}}, map[int]int{} // of: a line's block
	current := 0
	for i, line := range strings.Split(string(template), "\n") {
		if h := heading.FindStringSubmatch(line); h != nil {
			if current = 0; h[1] != "" {
				current, found = len(found), append(found, block{h[1], map[string]blockResource{}})
			}
		}
		of[i+1] = current
	}
	var content struct {
		Resources map[string]yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(template, &content); err != nil {
		return nil, err
	}
	for id, node := range content.Resources {
		var r blockResource
		if err := errors.Join(node.Decode(&r.resource), node.Decode(&r.also)); err != nil {
			return nil, err
		}
		found[of[node.Line]].resources[id] = r
	}
	return found, nil
}

// text is all that stands in a part of the template.
func text(n *yaml.Node) string {
	var b strings.Builder
	b.WriteString(n.Value + "\n")
	for _, part := range n.Content {
		b.WriteString(text(part))
	}
	return b.String()
}

// names are how a provider may be named, in lower case.
func names(r provider.Registration) []string {
	return []string{r.Name, r.Callbacks.Function, strings.ToLower(r.Title), strings.ToLower(strings.ReplaceAll(r.Title, " ", ""))}
}

// elsewhereNamed lists what names a provider outside the blocks: a provider
// that is added needs no change there, of an alarm for one. Comments may.
func elsewhereNamed(template []byte, found []block) (faults []string) {
	var content struct {
		Parameters map[string]yaml.Node `yaml:"Parameters"`
		Rules      map[string]yaml.Node `yaml:"Rules"`
		Conditions map[string]yaml.Node `yaml:"Conditions"`
		Resources  map[string]yaml.Node `yaml:"Resources"`
		Outputs    map[string]yaml.Node `yaml:"Outputs"`
	}
	if err := yaml.Unmarshal(template, &content); err != nil {
		return []string{err.Error()}
	}
	for id := range content.Resources {
		if _, outside := found[0].resources[id]; !outside {
			delete(content.Resources, id)
		}
	}
	for _, part := range []map[string]yaml.Node{content.Parameters, content.Rules, content.Conditions, content.Resources, content.Outputs} {
		for id, node := range part {
			said := strings.ToLower(id + "\n" + text(&node))
			for _, r := range providers.All() {
				if slices.ContainsFunc(names(r), func(name string) bool { return strings.Contains(said, name) }) {
					faults = append(faults, id+" names "+r.Title+" and is in no block")
				}
			}
		}
	}
	return faults
}

// checkBlocks holds the template to the providers' registrations and lists
// what does not fit.
func checkBlocks(template []byte) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	found, err := blocks(template)
	if err != nil {
		return []string{err.Error()}
	}
	faults = elsewhereNamed(template, found)
	// Who asks every provider: it knows of accounts and of no single provider.
	var askers, payers []string
	for id, r := range found[0].resources {
		variables := r.Properties.Environment.Variables
		if _, asks := variables["ACCOUNTS_PATH"]; asks {
			askers = append(askers, strings.TrimSuffix(r.also.Properties.Role.Value, ".Arn"))
		}
		if _, pays := variables["PAYOUTS_PATH"]; pays {
			payers = append(payers, strings.TrimSuffix(r.also.Properties.Role.Value, ".Arn"))
		}
		if one, ok := variables["PROVIDER"]; ok {
			fault("%s knows %s alone and is in no block", id, one.Value)
		}
		for _, trigger := range r.triggers() {
			if strings.Contains(trigger, " /callback") || strings.Contains(trigger, " /webhooks/") {
				fault("%s is in no provider's block", trigger)
			}
		}
		if document := text(&r.also.Properties.PolicyDocument); strings.Contains(document, "/accounts/") || strings.Contains(document, "/payouts/") {
			fault("%s lets accounts be read and is in no block", id)
		}
	}
	var titles, registered []string
	for _, b := range found[1:] {
		titles = append(titles, b.title)
	}
	for _, r := range providers.All() {
		registered = append(registered, r.Title)
		i := slices.IndexFunc(found, func(b block) bool { return b.title == r.Title })
		if i < 0 {
			continue
		}
		var types []string
		var function, policy, payouts blockResource
		var role string
		for id, res := range found[i].resources {
			types = append(types, res.Type)
			switch res.Type {
			case "AWS::Serverless::Function":
				function = res
			case "AWS::IAM::ManagedPolicy":
				if strings.Contains(text(&res.also.Properties.PolicyDocument), "/payouts/") {
					payouts = res
				} else {
					policy = res
				}
			case "AWS::IAM::Role":
				role = id
			}
		}
		slices.Sort(types)
		wanted := []string{"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::Serverless::Function"}
		if r.NewRefunder != nil {
			wanted = slices.Insert(wanted, 0, wanted[0])
		}
		if diff := gocmp.Diff(wanted, types); diff != "" {
			fault("%s: resources (-wanted +in its block):\n%s", r.Title, diff)
			continue
		}
		if folder := path.Base(function.Properties.CodeURI); folder != r.Callbacks.Function {
			fault("%s: the code is %s, registered is %s", r.Title, folder, r.Callbacks.Function)
		}
		if one := function.Properties.Environment.Variables["PROVIDER"]; one.Value != r.Name {
			fault("%s: its function knows %q", r.Title, one.Value)
		}
		if diff := gocmp.Diff(slices.Sorted(slices.Values(r.Callbacks.Routes)), function.triggers()); diff != "" {
			fault("%s: routes (-registered +in its block):\n%s", r.Title, diff)
		}
		for event, e := range function.also.Properties.Events {
			if len(e.Properties.RouteSettings) == 0 {
				fault("%s: %s has no throttle of its own", r.Title, event)
			}
		}
		if function.also.Properties.Role.Value != role+".Arn" {
			fault("%s: its function has the role %s", r.Title, function.also.Properties.Role.Value)
		}
		for line := range strings.Lines(text(&policy.also.Properties.PolicyDocument)) {
			if _, at, reads := strings.Cut(line, "/accounts/"); reads && at != r.Name+"\n" {
				fault("%s: its policy lets the accounts of %s be read", r.Title, at)
			}
		}
		if !strings.Contains(text(&policy.also.Properties.PolicyDocument), "/accounts/"+r.Name+"\n") {
			fault("%s: its policy lets its accounts not be read", r.Title)
		}
		if diff := gocmp.Diff(slices.Sorted(slices.Values(append(slices.Clone(askers), role))), slices.Sorted(slices.Values(policy.also.Properties.Roles))); diff != "" {
			fault("%s: who may read its accounts (-who asks +by its policy):\n%s", r.Title, diff)
		}
		if r.NewRefunder == nil {
			continue
		}
		if diff := gocmp.Diff(slices.Sorted(slices.Values(payers)), slices.Sorted(slices.Values(payouts.also.Properties.Roles))); diff != "" {
			fault("%s: who may read its payout accounts (-who refunds +by its policy):\n%s", r.Title, diff)
		}
		if !strings.Contains(text(&payouts.also.Properties.PolicyDocument), "/payouts/"+r.Name+"\n") {
			fault("%s: its policy lets its payout accounts not be read", r.Title)
		}
	}
	if diff := gocmp.Diff(registered, titles); diff != "" {
		fault("blocks (-registered +template):\n%s", diff)
	}
	return faults
}

// A provider's block in the template is what its registration says.
func TestProviderBlocksFitTheRegistrations(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range checkBlocks(template) {
		t.Error(fault)
	}
	// What is missing or one too many is seen.
	source := string(template)
	for what, broken := range map[string]string{
		"block of MomentPay gone":      between(source, "  # ---- provider: MomentPay", "  # --------------------------------------------------------------- tables"),
		"a heading twice":              strings.Replace(source, "# ---- provider: MomentPay", "# ---- provider: MTN", 1),
		"a heading of nobody":          strings.Replace(source, "# ---- provider: MomentPay", "# ---- provider: Visa", 1),
		"a route gone":                 between(source, "        PutWithToken:\n", "\n  MtnCallbackRole:"),
		"a route more":                 strings.Replace(source, "Path: /webhooks/momentpay\n", "Path: /webhooks/moment\n", 1),
		"a callback outside":           strings.Replace(source, "Path: /status/{referenceId}\n", "Path: /webhooks/status\n", 1),
		"no throttle":                  strings.Replace(source, "            RouteSettings: *callback-throttle\n", "", 1),
		"a role gone":                  between(source, "  MomFacturaWebhookRole:", "  MomFacturaPolicy:"),
		"another's role":               strings.Replace(source, "!GetAtt MomFacturaWebhookRole.Arn", "!GetAtt MtnCallbackRole.Arn", 1),
		"another refunds":              strings.Replace(source, "      Roles: [!Ref RefundsRole, !Ref ReconcilerRole]", "      Roles: [!Ref RefundsRole, !Ref ReconcilerRole, !Ref StatusRole]", 1),
		"another's accounts":           strings.Replace(source, "${AWS::StackName}/accounts/momentpay\n", "${AWS::StackName}/accounts/mtn\n", 1),
		"accounts that nobody reads":   strings.Replace(source, "!Ref StatusRole, ", "", 1),
		"accounts for who asks nobody": strings.Replace(source, "Roles: [", "Roles: [!Ref ForwarderRole, ", 1),
		"an alarm of one provider":     strings.Replace(source, "502: a provider refuses", "502: MTN refuses", 1),
		"a parameter of one provider":  strings.Replace(source, "  LogLevel:\n", "  MomFacturaMode:\n    Type: String\n  LogLevel:\n", 1),
		"another provider":             strings.Replace(source, "PROVIDER: mom-factura\n", "PROVIDER: mtn\n", 1),
		"a resource between":           strings.Replace(source, "  # ---- provider: Mom Factura", "  Spare:\n    Type: AWS::SQS::Queue\n\n  # ---- provider: Mom Factura", 1),
	} {
		if broken == source {
			t.Errorf("%s: the template has no such place", what)
		} else if len(checkBlocks([]byte(broken))) == 0 {
			t.Errorf("%s: nothing is found wrong", what)
		}
	}
}

// between cuts out what stands from one text to the other.
func between(source, from, to string) string {
	before, rest, ok := strings.Cut(source, from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return source
	}
	return before + to + after
}
