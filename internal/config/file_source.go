package config

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// notShown stands for the part of a line that may be a secret.
const notShown = "(not shown)"

var secretWord = regexp.MustCompile(`(?i)api[-_ ]?key|secret|token|password`)

// source returns a line of the file for display: without control characters,
// cut at 100 characters, and without what may be a secret.
func (d *decoder) source(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	text, secret := d.lines[n-1], false
	if shown, ok := d.secretAt(n); ok {
		text, secret = shown, true
	}
	runes := []rune(strings.Map(visible, text))
	if len(runes) > 100 {
		runes = append(runes[:100:100], '…')
	}
	if secret {
		return strings.TrimLeft(string(runes)+" "+notShown, " ")
	}
	return string(runes)
}

// visible replaces what could harm a terminal.
func visible(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case !unicode.IsPrint(r):
		return unicode.ReplacementChar
	}
	return r
}

// secretAt reports whether line n may hold a secret: it, or the key above the
// list that it is an item of, speaks of one. It returns what can be shown.
func (d *decoder) secretAt(n int) (string, bool) {
	shown := d.lines[n-1]
	if at := secretWord.FindStringIndex(shown); at != nil {
		return shown[:at[1]], true
	}
	if !strings.HasPrefix(shown, "-") && !strings.HasPrefix(shown, " ") {
		return "", false
	}
	for i := n - 2; i >= 0; i-- {
		above := strings.TrimSpace(d.lines[i])
		switch {
		case secretWord.MatchString(above):
			return "", true
		case above == "" || strings.HasPrefix(above, "-") || strings.HasPrefix(above, "#"):
			continue
		}
		return "", false
	}
	return "", false
}

func position(node ast.Node) token.Position {
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		node = m.Values[0].Key // the mapping's own token is its first colon
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return *t.Position
	}
	return token.Position{Line: 1, Column: 1}
}

func line(node ast.Node) int   { return position(node).Line }
func column(node ast.Node) int { return position(node).Column }

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "key: value pairs"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor (they are not read here; write the value out)"
	case *ast.TagNode:
		return "a tag (they are not read here)"
	}
	return quote(node.GetToken().Value)
}
