package docs

import (
	"os"
	"testing"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, page := range append(pages(t), repository+"/CONTRIBUTING.md", repository+"/SECURITY.md", repository+"/CHANGELOG.md",
		repository+"/events/README.md") {
		dead, err := DeadLinks(page)
		if err != nil {
			t.Error(err)
		}
		for _, err := range dead {
			t.Error(err)
		}
	}
}

// The README sells and starts. What explains has its home under docs/.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(repository + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(readme) > 8<<10 {
		t.Errorf("README.md has %d bytes, at most %d", len(readme), 8<<10)
	}
}
