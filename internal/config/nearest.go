package config

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns those of known that word was probably meant to be, best
// first: the same but for case and _ or -, a few letters away, or longer by
// what follows. It returns none rather than a wild guess.
func Nearest(word string, known []string) []string {
	type scored struct {
		name string
		far  int
	}
	var near []scored
	want := fold(word)
	if len(want) == 0 || len(want) > 256 {
		return nil
	}
	for _, name := range known {
		have := fold(name)
		far := distance(want, have)
		switch {
		case far <= max(1, len(want)/3):
		case len(want) >= 3 && (strings.HasPrefix(have, want) || strings.HasPrefix(want, have) && len(have) >= 3):
		default:
			continue
		}
		near = append(near, scored{name, far})
	}
	slices.SortStableFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name))
	})
	names := make([]string, len(near))
	for i, s := range near {
		names[i] = s.name
	}
	return names
}

// didYouMean returns ` Did you mean "x"?`, or nothing when no name is near.
func didYouMean(word string, known []string) string {
	if near := Nearest(word, known); len(near) > 0 {
		return ` Did you mean "` + near[0] + `"?`
	}
	return ""
}

func fold(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "_", "-")
}

// distance counts the letters to add, drop, change or swap with a neighbour
// to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
