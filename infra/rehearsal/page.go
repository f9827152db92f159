package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"momoproxy/infra/docs"
)

// block is the nth block, from 0, of a language under a heading of a page, word
// for word.
func block(page, heading, language string, n int) (string, error) {
	text, err := os.ReadFile(filepath.FromSlash(page))
	if err != nil {
		return "", err
	}
	_, under, ok := strings.Cut("\n"+string(text), "\n"+heading+"\n")
	if !ok {
		return "", fmt.Errorf("%s has no heading %q", page, heading)
	}
	level := heading[:strings.Index(heading, " ")]
	for higher := level; higher != "#"; higher = higher[1:] {
		under, _, _ = strings.Cut(under, "\n"+higher+" ")
	}
	blocks, err := docs.Blocks(under)
	if err != nil {
		return "", fmt.Errorf("%s: %w", page, err)
	}
	for _, b := range blocks {
		if b.Language != language {
			continue
		}
		if n == 0 {
			return b.Text, nil
		}
		n--
	}
	return "", fmt.Errorf("%s has fewer commands under %q", page, heading)
}
