// Command mutationscore shows how many small faults a package's tests find.
// gremlins names the mutants. This program tries each one: gremlins itself
// leaves out the conditions of a case, which Go's coverage does not count, and
// takes a mutant that does not compile for killed.
//
// The score is killed / (killed + lived + timed out). Under 90 % is an error,
// and so are 2 % that time out. Mutants that do not compile count for nothing.
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
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	counts := map[status]int{}
	for dir, names := range files {
		limit, err := baseline(dir, work)
		if err != nil {
			log.Fatalf("%s: the tests fail without a mutation: %v", dir, err)
		}
		mutants, err := find(dir, filepath.Join(work, "report.json"))
		if err != nil {
			log.Fatalf("%s: %v", dir, err)
		}
		mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !slices.Contains(names, filepath.Base(m.File)) })
		log.Printf("%s: %d mutants, at most %s each", dir, len(mutants), limit)
		tryAll(mutants, work, limit, func(m mutant, s status) {
			counts[s]++
			if s == lived || s == timedOut {
				id := fmt.Sprintf("%s %s %s", m.File, m.Kind, m.source())
				fmt.Printf("%-9s %s:%d:%d %s\n", s, m.File, m.Line, m.Column, reason(accepted, id))
			}
		})
	}
	all := counts[killed] + counts[lived] + counts[timedOut]
	if all == 0 {
		log.Fatal("no mutant was made")
	}
	score, late := float64(counts[killed])/float64(all), float64(counts[timedOut])/float64(all)
	fmt.Printf("mutation score %.1f %%: %d killed, %d lived, %d timed out; %d did not compile\n",
		100*score, counts[killed], counts[lived], counts[timedOut], counts[notViable])
	if score < leastScore || late >= mostTimedOut {
		log.Fatalf("the score must be at least %.0f %%, and less than %.0f %% may time out", 100*leastScore, 100*mostTimedOut)
	}
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
