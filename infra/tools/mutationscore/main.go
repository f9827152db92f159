// Command mutationscore shows how many small faults a package's tests find.
// gremlins names the mutants. This program tries each one: gremlins itself
// leaves out the conditions of a case, which Go's coverage does not count, and
// takes a mutant that does not compile for killed.
//
// The score is killed / (killed + lived + timed out + not covered). Under 90 %
// is an error, and so are 2 % that time out. Mutants that do not compile count
// for nothing.
//
// usage: mutationscore ACCEPTED FILE.go...
//
// It runs in the module's root. ACCEPTED lists survivors that are meant to
// survive, one a line: file, kind and source line, a tab, and the reason. They
// count as survivors all the same.
package main

import (
	"bufio"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

const (
	leastScore   = 0.90
	mostTimedOut = 0.02
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutationscore: ")
	if len(os.Args) < 3 {
		log.Fatal("usage: mutationscore ACCEPTED FILE.go...")
	}
	accepted := readAccepted(os.Args[1])
	work, err := os.MkdirTemp("", "mutationscore")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(work)

	files := map[string][]string{} // by package
	for _, f := range os.Args[2:] {
		if _, err := os.Stat(f); err != nil {
			log.Fatal(err)
		}
		files[filepath.Dir(f)] = append(files[filepath.Dir(f)], filepath.Base(f))
	}
	start := time.Now()
	scores := map[string]score{}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		limit, err := baseline(dir, work)
		if err != nil {
			log.Fatalf("%s: the tests fail without a mutation: %v", dir, err)
		}
		mutants, err := find(dir, filepath.Join(work, "report.json"))
		if err != nil {
			log.Fatalf("%s: %v", dir, err)
		}
		mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !slices.Contains(files[dir], filepath.Base(m.File)) })
		log.Printf("%s: %d mutants, at most %s each", dir, len(mutants), limit)
		for _, name := range files[dir] {
			scores[filepath.Join(dir, name)] = score{}
		}
		tryAll(mutants, work, limit, func(m mutant, s status) {
			scores[m.File][s]++
			if s != killed && s != notViable {
				id := fmt.Sprintf("%s %s %s", m.File, m.Kind, m.source())
				fmt.Printf("%-11s %s:%d:%d %s\n", s, m.File, m.Line, m.Column, reason(accepted, id))
			}
		})
	}
	total := score{}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "file\tkilled\tlived\ttimed out\tnot covered\tdid not compile")
	for _, file := range slices.Sorted(maps.Keys(scores)) {
		fmt.Fprintf(table, "%s\t%s\n", file, scores[file])
		for s, n := range scores[file] {
			total[s] += n
		}
	}
	fmt.Fprintf(table, "all\t%s\n", total)
	table.Flush()
	all := total[killed] + total[lived] + total[timedOut] + total[notCovered]
	if all == 0 {
		log.Fatal("no mutant was made")
	}
	share, late := float64(total[killed])/float64(all), float64(total[timedOut])/float64(all)
	fmt.Printf("mutation score %.1f %%: %d of %d killed, %.1f %% timed out, in %s\n", 100*share, total[killed], all, 100*late, time.Since(start).Round(time.Second))
	if share < leastScore || late >= mostTimedOut {
		log.Fatalf("the score must be at least %.0f %%, and less than %.0f %% may time out", 100*leastScore, 100*mostTimedOut)
	}
}

// score counts mutants by what became of them.
type score map[status]int

func (s score) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d", s[killed], s[lived], s[timedOut], s[notCovered], s[notViable])
}

// tryAll tries mutants side by side, one for each processor, and tells what
// became of each, one at a time.
func tryAll(mutants []mutant, work string, limit limit, tell func(mutant, status)) {
	var one sync.Mutex
	next := make(chan int)
	var workers sync.WaitGroup
	for n := range runtime.NumCPU() {
		workers.Go(func() {
			dir := filepath.Join(work, fmt.Sprint(n))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				log.Fatal(err)
			}
			for i := range next {
				s, err := mutants[i].try(dir, limit)
				if err != nil {
					log.Fatalf("%s:%d: %v", mutants[i].File, mutants[i].Line, err)
				}
				one.Lock()
				tell(mutants[i], s)
				one.Unlock()
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	workers.Wait()
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
