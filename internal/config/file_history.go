package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"holdfast.dev/holdfast/internal/wire"
)

var historyKeys = []string{"channels", "messages", "age", "bytes"}

// historyDraft is a rule as the file has it; nil is left out.
type historyDraft struct {
	channels wire.Pattern
	messages *int
	age      *time.Duration
	bytes    *Size
}

// rule fills what was left out from the settings for all channels.
func (h historyDraft) rule(c *Config) HistoryRule {
	r := HistoryRule{Channels: h.channels, Messages: c.HistoryMessages, Age: c.HistoryAge, Bytes: c.HistoryBytes}
	if h.messages != nil {
		r.Messages = *h.messages
	}
	if h.age != nil {
		r.Age = *h.age
	}
	if h.bytes != nil {
		r.Bytes = *h.bytes
	}
	return r
}

// historyRules is written by the file's reader alone.
func historyRules() field {
	f := fileList(func(c *Config) (texts []string) {
		for _, r := range c.History {
			texts = append(texts, historyText(r))
		}
		return texts
	})
	f.node = func(d *decoder, node ast.Node) func(*Config) {
		drafts := d.history(node)
		return func(c *Config) {
			c.History = nil
			for _, draft := range drafts {
				c.History = append(c.History, draft.rule(c))
			}
		}
	}
	return f
}

// history reads the list of history rules. An empty list, or nothing, is
// none.
func (d *decoder) history(node ast.Node) (drafts []historyDraft) {
	items, ok := d.list("history", node, "channels and one or more of messages, age, bytes", MaxHistoryRules)
	if !ok {
		return nil
	}
	lines := make([]int, 0, len(items))
	for _, item := range items {
		h := d.historyRule(item)
		for i, above := range drafts {
			if problem := shadowed(above.channels, h.channels, lines[i]); problem != "" {
				d.fault("history", item, problem)
				break
			}
		}
		drafts, lines = append(drafts, h), append(lines, line(item))
	}
	return drafts
}

// shadowed says why a rule for a pattern never counts below another; empty
// when it does.
func shadowed(above, pattern wire.Pattern, line int) string {
	switch {
	case pattern == "" || !covers(above, pattern):
		return ""
	case above == pattern:
		return fmt.Sprintf("%s has a rule in line %d already; keep one", quote(string(pattern)), line)
	}
	return fmt.Sprintf("the rule for %s in line %d covers %s already, and the first that fits counts; put this one above it",
		quote(string(above)), line, quote(string(pattern)))
}

// covers reports whether every name that narrow matches is matched by wide.
func covers(wide, narrow wire.Pattern) bool {
	stem, open := strings.CutSuffix(string(narrow), "*")
	if prefix, ok := strings.CutSuffix(string(wide), "*"); ok {
		return strings.HasPrefix(stem, prefix)
	}
	return !open && string(wide) == stem
}

func (d *decoder) historyRule(item ast.Node) historyDraft {
	var h historyDraft
	given := map[string]bool{}
	d.mapping("history", item, historyKeys, func(key string, pair *ast.MappingValueNode) {
		given[key] = true
		v, ok := d.scalar("history", pair.Value)
		if !ok {
			return
		}
		if err := h.set(key, v.text); err != nil {
			d.fault("history", pair.Value, err.Error())
		}
	})
	if _, ok := item.(*ast.MappingNode); !ok {
		return h
	}
	switch {
	case !given["channels"]:
		d.fault("history", item, "this rule has no channels; name one, or the beginning of several and a *")
	case len(given) == 1:
		d.fault("history", item, "this rule says nothing; give messages, age or bytes")
	}
	return h
}

// set writes one field from text, within the bounds of the setting that
// holds for all channels.
func (h *historyDraft) set(key, text string) error {
	var c Config
	var f field
	switch key {
	case "channels":
		p, err := parsePattern(text)
		h.channels = p
		return err
	case "messages":
		f = number(func(c *Config) *int { return &c.HistoryMessages }, 0, maxHistoryMessages)
		h.messages = &c.HistoryMessages
	case "age":
		f = duration(func(c *Config) *time.Duration { return &c.HistoryAge }, minHistoryAge, maxHistoryAge)
		h.age = &c.HistoryAge
	case "bytes":
		f = size(func(c *Config) *Size { return &c.HistoryBytes }, minHistoryBytes, maxHistoryBytes)
		h.bytes = &c.HistoryBytes
	}
	return f.set(&c, []string{text})
}
