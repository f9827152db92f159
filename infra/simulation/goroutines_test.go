package simulation_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// What a run simulates starts no goroutine of its own: it asks host for one.
// One that it started would go on beside the process that runs, and the seed
// would not replay. The packages left out stand outside a run.
func TestSimulatedCodeStartsNoGoroutine(t *testing.T) {
	t.Parallel()
	outside := []string{"shared/host/", "shared/sqlitefile/", "shared/table/sqlite/", "shared/queue/", "shared/assembly/function.go", "test/"}
	files := 0
	for _, pattern := range []string{"shared/*/*.go", "shared/*/*/*.go"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
			if strings.HasSuffix(name, "_test.go") || containsAny(name, outside) {
				continue
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, _ := n.(*ast.CallExpr)
				_, starts := n.(*ast.GoStmt)
				if call != nil {
					method, _ := call.Fun.(*ast.SelectorExpr)
					starts = method != nil && method.Sel.Name == "Go"
				}
				if starts {
					t.Errorf("%s:%d starts a goroutine past shared/host", name, set.Position(n.Pos()).Line)
				}
				return true
			})
		}
	}
	if files < 100 {
		t.Errorf("only %d files were read; is shared/ elsewhere?", files)
	}
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
