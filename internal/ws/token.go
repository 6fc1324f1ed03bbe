package ws

import (
	"iter"
	"strings"
)

// hasToken reports whether one of a header's comma-separated lines holds the
// token, which has no comma itself (RFC 9110, section 5.6.1).
func hasToken(lines []string, token string, equal func(a, b string) bool) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if equal(trim(item), token) {
				return true
			}
		}
	}
	return false
}

// split yields the parts of s between separators that stand outside of quotes
// (RFC 9110, section 5.6.4).
func split(s string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case c == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// trim removes the optional white space of RFC 9110, section 5.6.3.
func trim(s string) string { return strings.Trim(s, " \t") }

func sameCase(a, b string) bool { return a == b }
