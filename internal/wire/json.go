package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of JSON that the server accepts.
const MaxDepth = 100

// CheckJSON returns nil when b is exactly one JSON value (RFC 8259) in valid
// UTF-8, nested no deeper than MaxDepth. The error names the byte, counted
// from 1, at which the text goes wrong.
func CheckJSON(b []byte) error {
	_, err := scanDocument(b)
	return err
}

// Compact returns the JSON value b without the white space between its
// tokens. It returns b itself, trimmed, when there is none. b must have passed CheckJSON.
func Compact(b []byte) []byte {
	s := scanner{b: b}
	start := s.space()
	if s.value(0) != nil {
		return b
	}
	if !s.spaced {
		return b[start:s.i]
	}
	return compacted(b[start:s.i])
}

// compacted returns a copy of a JSON value without the white space between
// its tokens.
func compacted(b []byte) []byte {
	out := make([]byte, 0, len(b))
	quoted := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case quoted && c == '\\':
			out = append(out, c)
			i++
			c = b[i]
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		out = append(out, c)
	}
	return out
}

// scanDocument checks one JSON value with nothing but space around it and
// says whether there is white space between its tokens.
func scanDocument(b []byte) (spaced bool, err error) {
	s := scanner{b: b}
	s.space()
	if err := s.value(0); err != nil {
		return false, err
	}
	spaced = s.spaced
	if s.space(); s.i < len(b) {
		return false, s.fault("something stands behind the JSON value")
	}
	return spaced, nil
}

// scanner walks over JSON text without building anything. encoding/json
// accepts bad UTF-8, repeated keys and keys in the wrong case, and names
// positions only for some faults; the server may pass none of these on.
type scanner struct {
	b      []byte
	i      int
	spaced bool // white space was seen between tokens
}

func (s *scanner) fault(what string) error {
	if s.i >= len(s.b) {
		return Errorf(BadJSON, "not valid JSON: it ends too early, after byte %d", len(s.b))
	}
	return Errorf(BadJSON, "not valid JSON at byte %d: %s", s.i+1, what)
}

// space skips white space and returns where it ended.
func (s *scanner) space() int {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
			s.spaced = true
		default:
			return s.i
		}
	}
	return s.i
}

func (s *scanner) value(depth int) error {
	if s.i >= len(s.b) {
		return s.fault("a value is missing")
	}
	switch c := s.b[s.i]; {
	case c == '"':
		return s.string()
	case c == '{':
		return s.members(depth+1, nil)
	case c == '[':
		return s.elements(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fault("a value cannot begin with " + Quote(string(rune(s.b[s.i]))))
}

func (s *scanner) literal(word string) error {
	for k := range len(word) {
		if s.i >= len(s.b) || s.b[s.i] != word[k] {
			return s.fault("expected " + word)
		}
		s.i++
	}
	return nil
}

// plain marks the bytes that may stand in a string as they are, one by one.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// plainRun returns how many bytes at the beginning of b are plain. It looks at
// eight at once: most of what a server reads is the inside of strings.
func plainRun(b []byte) (n int) {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote, slash := w^'"'*each, w^'\\'*each
		// A byte's high bit is set where it is not plain. Borrows can set more,
		// but only behind such a byte.
		if odd := (w | (w - 0x20*each) | (quote-each)&^quote | (slash-each)&^slash) & high; odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for n < len(b) && plain[b[n]] {
		n++
	}
	return n
}

func (s *scanner) string() error {
	s.i++
	for {
		s.i += plainRun(s.b[s.i:])
		if s.i >= len(s.b) {
			return s.fault("a string has no end")
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return s.fault("a control character in a string must be escaped")
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return s.fault("the text is not UTF-8")
			}
			s.i += n
		}
	}
}

func (s *scanner) escape() error {
	s.i++
	if s.i >= len(s.b) {
		return s.fault("a string has no end")
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i++
		return nil
	case 'u':
		s.i++
		for range 4 {
			if s.i >= len(s.b) || !hexDigit(s.b[s.i]) {
				return s.fault(`\u wants four hexadecimal digits`)
			}
			s.i++
		}
		return nil
	}
	return s.fault("no such escape in JSON")
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

func (s *scanner) number() error {
	if s.at('-') {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if !s.digits() {
		return s.fault("a number wants a digit here")
	}
	if s.at('.') {
		s.i++
		if !s.digits() {
			return s.fault("a number wants a digit here")
		}
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		if !s.digits() {
			return s.fault("a number wants a digit here")
		}
	}
	return nil
}

func (s *scanner) elements(depth int) error {
	if depth > MaxDepth {
		return s.fault("nested too deeply, 100 levels at most")
	}
	s.i++
	if s.space(); s.at(']') {
		s.i++
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		switch s.space(); {
		case s.at(','):
			s.i++
			s.space()
		case s.at(']'):
			s.i++
			return nil
		default:
			return s.fault("expected , or ]")
		}
	}
}

// member is a member of an object.
type member struct {
	key    []byte // as it stands between its quotes
	value  []byte
	spaced bool // there is white space between the tokens of value
}

// members walks over an object and calls each, when given, with every member.
func (s *scanner) members(depth int, each func(member) error) error {
	if depth > MaxDepth {
		return s.fault("nested too deeply, 100 levels at most")
	}
	s.i++
	if s.space(); s.at('}') {
		s.i++
		return nil
	}
	for {
		if !s.at('"') {
			return s.fault("expected a key in quotes")
		}
		k := s.i
		if err := s.string(); err != nil {
			return err
		}
		key := s.b[k+1 : s.i-1]
		if s.space(); !s.at(':') {
			return s.fault("expected :")
		}
		s.i++
		v := s.space()
		spaced := s.spaced
		s.spaced = false
		if err := s.value(depth); err != nil {
			return err
		}
		if each != nil {
			if err := each(member{key, s.b[v:s.i], s.spaced}); err != nil {
				return err
			}
		}
		s.spaced = s.spaced || spaced
		switch s.space(); {
		case s.at(','):
			s.i++
			s.space()
		case s.at('}'):
			s.i++
			return nil
		default:
			return s.fault("expected , or }")
		}
	}
}

// object walks over a document that must be one JSON object.
func object(b []byte, each func(member) error) error {
	s := scanner{b: b}
	s.space()
	if !s.at('{') {
		return s.fault("expected an object, { … }")
	}
	if err := s.members(1, each); err != nil {
		return err
	}
	if s.space(); s.i < len(b) {
		return s.fault("something stands behind the object")
	}
	return nil
}

// text returns what a JSON string says; ok is false for any other value.
func text(value []byte) (s string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		return s, json.Unmarshal(value, &s) == nil
	}
	return string(value[1 : len(value)-1]), true
}
