package momoproxy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// elsewhere are the files that may name a provider beside its own folders, and
// why. A list only shrinks: who adds a provider must not have to know of them.
var elsewhere = map[string]struct {
	name  *regexp.Regexp
	most  int
	files map[string]string
}{
	"momentpay": {regexp.MustCompile(`(?i)momentpay`), 8, map[string]string{
		".github/ISSUE_TEMPLATE/provider-fact.yml": "a form without code",
		"infra/simulation/mutation.go":             "breaks the adapter's own lines",
		"infra/simulation/wire_moment.go":          "what only it does wrong, and its books",
		"infra/standin/all.go":                     "the list of stand-ins",
		"shared/assembly/providers/providers.go":   "the list of providers",
		"shared/httpapi/openapi.yaml":              "its webhook's description, held against the registration",
		"template.yaml":                            "its block, held against the registration",
	}},
	"momfactura": {regexp.MustCompile(`(?i)mom-?factura`), 8, map[string]string{
		"infra/simulation/mutation.go":           "breaks the adapter's own lines",
		"infra/simulation/wire_factura.go":       "what only it does wrong, and its books",
		"infra/standin/all.go":                   "the list of stand-ins",
		"shared/assembly/providers/providers.go": "the list of providers",
		"shared/httpapi/openapi.yaml":            "its webhook's description, held against the registration",
		"template.yaml":                          "its block, held against the registration",
	}},
	// Whose code, or name as a value. It is the provider that a payment has
	// when nobody names one.
	"mtn": {regexp.MustCompile(`(?m)^\t(\w+ )?"momoproxy/.*/mtn"$|^[^/\n]*[:,] *"mtn"`), 16, map[string]string{
		"infra/bench/deliveries/world.go":        "a payment that nobody asks about",
		"infra/console/fill/main.go":             "payments that nobody asks about",
		"infra/local/main.go":                    "the demonstration's default",
		"infra/local/trigger.go":                 "what can happen is scripts of its stand-in",
		"infra/simulation/neighbour.go":          "an app that floods its route",
		"infra/simulation/providers.go":          "its platform and its adapter",
		"infra/simulation/shrink.go":             "its share of the payments",
		"infra/simulation/wire_mtn.go":           "what only it does wrong, and its books",
		"infra/simulation/wire_refund.go":        "the only one that gives money back",
		"infra/simulation/migration.go":          "its platforms",
		"infra/standin/all.go":                   "the list of stand-ins",
		"infra/standin/serve/main.go":            "flags of its account and platform",
		"infra/testbed/testbed.go":               "the provider that most tests pay through",
		"shared/assembly/providers/providers.go": "the list of providers",
	}},
}

// own are a provider's folders, and what is no code of the product: tests,
// their data, documents.
var own = regexp.MustCompile(`_test\.go$|/testdata/|\.md$|^(docs|events)/|^(shared/provider|infra/standin)/(mtn|momentpay|momfactura)/|^functions/(mtn-callback|momentpay-webhook|mom-factura-webhook)/`)

var sources = regexp.MustCompile(`\.(go|ya?ml|toml|py|js|html|css)$|^Makefile$`)

func TestProvidersAreNamedInTheirOwnFolders(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && file != "." && e.Name()[0] == '.' && e.Name() != ".github":
			return fs.SkipDir // tools, and what a run leaves
		case e.IsDir() || !sources.MatchString(file) || own.MatchString(file):
			return nil
		}
		text, err := os.ReadFile(file)
		for provider, may := range elsewhere {
			if may.name.Match(text) {
				found[provider] = append(found[provider], file)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for provider, may := range elsewhere {
		found := found[provider]
		if len(may.files) > may.most {
			t.Errorf("%d files name %s: at most %d may", len(may.files), provider, may.most)
		}
		for _, file := range found {
			if may.files[file] == "" {
				t.Errorf("%s names %s: what it needs belongs into shared/provider/%s or infra/standin/%s", file, provider, provider, provider)
			}
		}
		for file := range may.files {
			if !slices.Contains(found, file) {
				t.Errorf("%s names %s no more: take it off the list", file, provider)
			}
		}
	}
}
