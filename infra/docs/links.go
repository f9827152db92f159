package docs

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`^#{1,6} (.*)$`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Slug is the anchor that GitHub gives a heading.
func Slug(heading string) string {
	return strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// outsideBlocks is a page without its fenced blocks.
func outsideBlocks(page string) string {
	var kept []string
	inside := false
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inside = !inside
			continue
		}
		if !inside {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// DeadLinks are the links of the page at path that lead to no file, or to no
// heading of it. Links to the web are not followed.
func DeadLinks(path string) ([]error, error) {
	page, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var dead []error
	for _, found := range link.FindAllStringSubmatch(outsideBlocks(string(page)), -1) {
		target, err := url.Parse(found[1])
		if err != nil {
			dead = append(dead, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if target.Scheme != "" {
			continue
		}
		file := path
		if target.Path != "" {
			file = filepath.Join(filepath.Dir(path), target.Path)
		}
		if _, err := os.Stat(file); err != nil {
			dead = append(dead, fmt.Errorf("%s: link %s: %w", path, found[1], err))
			continue
		}
		if target.Fragment != "" && !hasHeading(file, target.Fragment) {
			dead = append(dead, fmt.Errorf("%s: link %s: the page has no such heading", path, found[1]))
		}
	}
	return dead, nil
}

func hasHeading(file, slug string) bool {
	page, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for line := range strings.SplitSeq(outsideBlocks(string(page)), "\n") {
		if found := heading.FindStringSubmatch(line); found != nil && Slug(found[1]) == slug {
			return true
		}
	}
	return false
}
