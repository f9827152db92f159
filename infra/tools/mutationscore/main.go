// Command mutationscore adds up what gremlins found and fails when too many
// mutants survive: killed / (killed + lived + timed out + not covered). The
// tool itself leaves out what timed out or was not covered.
//
// usage: mutationscore ACCEPTED PACKAGE=REPORT.json...
//
// ACCEPTED lists survivors that are meant to survive, one a line: file, kind
// and source line, a tab, and the reason. They count as survivors all the same.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

const (
	leastScore   = 0.90
	mostTimedOut = 0.02
)

type report struct {
	Files []struct {
		Name      string `json:"file_name"`
		Mutations []struct {
			Kind   string `json:"type"`
			Status string `json:"status"`
			Line   int    `json:"line"`
		} `json:"mutations"`
	} `json:"files"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: mutationscore ACCEPTED PACKAGE=REPORT.json...")
	}
	accepted := readAccepted(os.Args[1])
	counts := map[string]int{}
	for _, arg := range os.Args[2:] {
		dir, path, _ := strings.Cut(arg, "=")
		text, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		for _, f := range r.Files {
			for _, m := range f.Mutations {
				counts[m.Status]++
				if m.Status == "KILLED" || m.Status == "NOT VIABLE" {
					continue
				}
				name := filepath.Join(dir, f.Name)
				id := fmt.Sprintf("%s %s %s", name, m.Kind, sourceLine(name, m.Line))
				fmt.Printf("%-11s %s:%d %s\n", m.Status, name, m.Line, reason(accepted, id))
			}
		}
	}
	killed := counts["KILLED"]
	all := killed + counts["LIVED"] + counts["TIMED OUT"] + counts["NOT COVERED"]
	if all == 0 {
		log.Fatal("mutationscore: no mutant was made")
	}
	score, late := float64(killed)/float64(all), float64(counts["TIMED OUT"])/float64(all)
	fmt.Printf("mutation score %.1f %%: %d killed, %d lived, %d timed out, %d not covered\n",
		100*score, killed, counts["LIVED"], counts["TIMED OUT"], counts["NOT COVERED"])
	if score < leastScore || late >= mostTimedOut {
		log.Fatalf("mutationscore: the score must be at least %.0f %%, and less than %.0f %% may time out", 100*leastScore, 100*mostTimedOut)
	}
}

func reason(accepted map[string]string, id string) string {
	if why, ok := accepted[id]; ok {
		return "accepted: " + why
	}
	return "NOT EXPLAINED: " + id
}

func readAccepted(path string) map[string]string {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if id, why, ok := strings.Cut(scan.Text(), "\t"); ok && !strings.HasPrefix(id, "#") {
			all[id] = why
		}
	}
	return all
}

// sourceLine is the line itself: numbers change with every edit above it.
func sourceLine(file string, line int) string {
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}
