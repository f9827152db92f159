package endtoend

import (
	"encoding/json"
	"strings"
	"testing"
)

// testOutput: whatever a function printed is JSON, line by line, and no
// secret is in it.
func testOutput(t *testing.T, w *world) {
	for name, p := range w.processes {
		printed := p.output.String()
		for what, secret := range w.secrets {
			if strings.Contains(printed, secret) {
				t.Errorf("%s printed %s", name, what)
			}
		}
		lines := strings.Split(strings.TrimSpace(printed), "\n")
		for _, line := range lines {
			if line == "" {
				continue
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Errorf("%s printed a line that is not a JSON object: %s", name, line)
			} else if n := topLevelNames(line); n != len(fields) {
				t.Errorf("%s printed a line that names a field twice: %s", name, line)
			}
		}
		if p.initFail != "" {
			t.Errorf("%s failed to start: %s", name, p.initFail)
		}
		t.Logf("%-19s printed %d lines", name, len(lines))
	}
}

// topLevelNames counts the names of a JSON object's own fields.
func topLevelNames(object string) int {
	d := json.NewDecoder(strings.NewReader(object))
	depth, n, name := 0, 0, false
	for {
		token, err := d.Token()
		if err != nil {
			return n
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			name = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			name = depth == 1
			continue
		}
		if depth == 1 {
			if name {
				n++
			}
			name = !name
		}
	}
}
