package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"momoproxy"
)

// A person who reports a fault says the version first. No store is needed:
// opening one would panic here.
func TestVersion(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := program{in: strings.NewReader(""), out: &out, err: &out}
	if code := p.run(t.Context(), []string{"version"}); code != exitOK || !strings.HasPrefix(out.String(), "momoctl "+momoproxy.Version+",") {
		t.Errorf("%d %s", code, out.String())
	}
	out.Reset()
	var said struct{ Version string }
	if code := p.run(t.Context(), []string{"--json", "version"}); code != exitOK || json.Unmarshal(out.Bytes(), &said) != nil || said.Version != momoproxy.Version {
		t.Errorf("%d %s", code, out.String())
	}
}
