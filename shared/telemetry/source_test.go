package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"momoproxy/shared/telemetry"
)

// call is one statement that logs a line.
type call struct {
	at         token.Position
	message    string // empty: it is none of the statement's own words
	attributes []string
}

// logged finds every statement of the product that logs a line by name. Where
// the name is handed to it, it counts for all names that are constants of its
// package, or of package delivery, which decides and logs nothing.
func logged(t *testing.T) []call {
	t.Helper()
	var calls, handed []call
	constants := map[string][]string{} // by folder
	files := token.NewFileSet()
	for _, root := range []string{"../../functions", "../../shared"} {
		err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
			folder := filepath.Dir(name)
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || filepath.Base(folder) == "telemetry" {
				return err // telemetry itself only names them
			}
			file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			lists := map[string][]string{} // by the latest variable of the name
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if name, attributes, ok := attributeList(n); ok {
						lists[name] = attributes
					}
				case *ast.CallExpr:
					if found, ok := logCall(n, lists); ok {
						found.at = files.Position(n.Pos())
						if found.message == "" {
							handed = append(handed, found)
						} else {
							calls = append(calls, found)
						}
					}
				case *ast.ValueSpec:
					for _, value := range n.Values {
						if word, ok := literal(value); ok {
							constants[folder] = append(constants[folder], word)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range handed {
		for _, word := range slices.Concat(constants[filepath.Dir(c.at.Filename)], constants["../../shared/delivery"]) {
			c.message = word
			calls = append(calls, c)
		}
	}
	return calls
}

// messageAt says which argument of slog's methods is the message.
var messageAt = map[string]int{
	"Info": 0, "Warn": 0, "Error": 0, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1, "Log": 2,
}

func logCall(c *ast.CallExpr, lists map[string][]string) (call, bool) {
	method, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return call{}, false
	}
	at, ok := messageAt[method.Sel.Name]
	if !ok || len(c.Args) <= at {
		return call{}, false
	}
	message, ok := literal(c.Args[at])
	if convert, converted := c.Args[at].(*ast.CallExpr); !ok && (method.Sel.Name != "Log" || !converted || len(convert.Args) != 1) {
		return call{}, false
	}
	found := call{message: message}
	if list, ok := c.Args[len(c.Args)-1].(*ast.Ident); ok && c.Ellipsis.IsValid() {
		found.attributes = lists[list.Name]
	} else {
		found.attributes = names(c.Args[at+1:])
	}
	return found, true
}

// attributeList reads a list of attributes that is made before the statement
// which logs it: list := []any{"name", value, ...}. What is added to it later
// is not always logged, and does not count.
func attributeList(a *ast.AssignStmt) (name string, attributes []string, ok bool) {
	if len(a.Lhs) != 1 || a.Tok != token.DEFINE {
		return "", nil, false
	}
	variable, isName := a.Lhs[0].(*ast.Ident)
	list, isList := a.Rhs[0].(*ast.CompositeLit)
	if !isName || !isList {
		return "", nil, false
	}
	return variable.Name, names(list.Elts), true
}

// names are the words in the places where slog has attributes' names.
func names(pairs []ast.Expr) []string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		if name, ok := literal(pairs[i]); ok {
			all = append(all, name)
		}
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// A renamed line or attribute would end its metric, and with it an alarm,
// without a word.
func TestMetricsAreReadOffLinesThatAreWritten(t *testing.T) {
	t.Parallel()
	lines := map[string][]call{}
	for _, c := range logged(t) {
		lines[c.message] = append(lines[c.message], c)
	}
	for _, m := range telemetry.Metrics {
		if len(lines[m.Line]) == 0 {
			t.Errorf("%s: nothing logs %s", m.Name, m.Line)
		}
		needs := slices.Clone(m.By)
		if m.Value != "" {
			needs = append(needs, m.Value)
		}
		for _, c := range m.When {
			needs = append(needs, c.Attribute)
		}
		for _, c := range lines[m.Line] {
			for _, name := range needs {
				if !slices.Contains(c.attributes, name) {
					t.Errorf("%s: %s has no attribute %s: %v", m.Name, m.Line, name, c.at)
				}
			}
		}
	}
}
