package httpapi

import (
	"maps"
	"slices"
	"strings"
)

// unknownField names the known field nearest to a misspelt one.
func unknownField(name, path string, known fields) string {
	best, distance := "", 4
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := editDistance(strings.ToLower(clip(name)), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "is not a field of this request"
	}
	return "is not a field of this request; did you mean \"" + path + best + "\"?"
}

// editDistance counts the single-character changes between two short words.
func editDistance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i := range ra {
		diagonal := row[0]
		row[0] = i + 1
		for j := range rb {
			change := diagonal
			if ra[i] != rb[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(rb)]
}
