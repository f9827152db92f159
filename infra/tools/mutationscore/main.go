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
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	start := time.Now()
	total, err := measure(readAccepted(os.Args[1]), os.Args[2:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(row("all", total))
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

// score counts mutants by their status.
type score map[status]int

// row is one line of the table.
func row(name string, s score) string {
	return fmt.Sprintf("%-40s %4d killed %3d lived %3d timed out %3d not covered %3d did not compile", name, s[killed], s[lived], s[timedOut], s[notCovered], s[notViable])
}

// measure tries the mutants of the files, package by package. It prints the
// survivors, and each file's row when its package is done.
func measure(accepted map[string]string, paths []string) (score, error) {
	work, err := os.MkdirTemp("", "mutationscore")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	files := map[string][]string{} // by package
	for _, f := range paths {
		if _, err := os.Stat(f); err != nil {
			return nil, err
		}
		files[filepath.Dir(f)] = append(files[filepath.Dir(f)], f)
	}
	total := score{}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		limit, err := baseline(dir, work)
		if err != nil {
			return nil, fmt.Errorf("%s: without a mutation: %w", dir, err)
		}
		mutants, err := find(dir, filepath.Join(work, "report.json"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !slices.Contains(files[dir], m.File) })
		log.Printf("%s: %d mutants, at most %s each", dir, len(mutants), limit)
		scores := map[string]score{}
		for _, f := range files[dir] {
			scores[f] = score{}
		}
		err = tryAll(mutants, work, limit, func(m mutant, s status) {
			total[s]++
			scores[m.File][s]++
			if s != killed && s != notViable {
				id := fmt.Sprintf("%s %s %s", m.File, m.Kind, m.source())
				fmt.Printf("%-11s %s:%d:%d %s\n", s, m.File, m.Line, m.Column, reason(accepted, id))
			}
		})
		if err != nil {
			return nil, err
		}
		for _, f := range files[dir] {
			fmt.Println(row(f, scores[f]))
		}
	}
	return total, nil
}

// tryAll tries mutants side by side, one for each processor, and reports the
// result of each, one at a time.
func tryAll(mutants []mutant, work string, limit limit, tell func(mutant, status)) error {
	var one sync.Mutex
	var failed error
	next := make(chan mutant)
	var workers sync.WaitGroup
	for n := range runtime.NumCPU() {
		dir := filepath.Join(work, fmt.Sprint(n))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		workers.Go(func() {
			for m := range next {
				s, err := m.try(dir, limit)
				one.Lock()
				if err != nil {
					failed = errors.Join(failed, fmt.Errorf("%s:%d:%d: %w", m.File, m.Line, m.Column, err))
				} else {
					tell(m, s)
				}
				one.Unlock()
			}
		})
	}
	for _, m := range mutants {
		next <- m
	}
	close(next)
	workers.Wait()
	return failed
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
