package momoproxy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are the files that may name a provider beside its own folders. A
// list only shrinks: who adds a provider must not have to know of them.
var elsewhere = map[string]struct {
	name  *regexp.Regexp
	files string
}{
	"momentpay": {regexp.MustCompile(`(?i)momentpay`), `
		.github/ISSUE_TEMPLATE/provider-fact.yml
		infra/simulation/apps.go
		infra/simulation/books.go
		infra/simulation/check_ending.go
		infra/simulation/check_event.go
		infra/simulation/check_rest.go
		infra/simulation/check_write.go
		infra/simulation/forger.go
		infra/simulation/mutation.go
		infra/simulation/providers.go
		infra/simulation/wire_moment.go
		infra/simulation/wire_webhook.go
		infra/simulation/world.go
		infra/standin/all.go
		shared/assembly/providers/providers.go
		shared/httpapi/openapi.yaml
		template.yaml`},
	"momfactura": {regexp.MustCompile(`(?i)mom-?factura`), `
		infra/simulation/apps.go
		infra/simulation/check_ending.go
		infra/simulation/mutation.go
		infra/simulation/operate.go
		infra/simulation/providers.go
		infra/simulation/wire_factura.go
		infra/simulation/wire_webhook.go
		infra/simulation/world.go
		infra/standin/all.go
		shared/assembly/providers/providers.go
		shared/httpapi/openapi.yaml
		template.yaml`},
}

// own are a provider's folders, and what is no code of the product: tests,
// their data, documents.
var own = regexp.MustCompile(`_test\.go$|/testdata/|\.md$|^(docs|events)/|^(shared/provider|infra/standin)/(momentpay|momfactura)/|^functions/(momentpay|mom-factura)-webhook/`)

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
		allowed, found := strings.Fields(may.files), found[provider]
		for _, file := range found {
			if !slices.Contains(allowed, file) {
				t.Errorf("%s names %s: what it needs belongs into shared/provider/%s", file, provider, provider)
			}
		}
		for _, file := range allowed {
			if !slices.Contains(found, file) {
				t.Errorf("%s names %s no more: take it off the list", file, provider)
			}
		}
	}
}
