package ws

import "unicode/utf8"

// wholeRunes returns how many bytes at the start of b are whole runes, and
// whether all of b can be the beginning of valid UTF-8. What remains is a rune
// that is valid so far; a bad byte is found as soon as it is there.
func wholeRunes(b []byte) (n int, ok bool) {
	n = len(b)
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				n = i
			}
			break
		}
	}
	return n, utf8.Valid(b[:n])
}
