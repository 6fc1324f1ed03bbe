package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Loader reads a configuration from its sources. Load may be called again to
// reload; the flags and variables are those of the first time.
type Loader struct {
	// Flags are the flags given, by setting name, each with its values in
	// order.
	Flags map[string][]string
	// Environ is the environment as NAME=value.
	Environ []string
	// ReadFile reads the file and secrets; os.ReadFile when nil.
	ReadFile func(path string) ([]byte, error)
}

// entry is one setting as one source gives it.
type entry struct {
	setting *Setting
	origin  Origin
	values  []value
	late    func(*Config) // of a setting that stands in the file only
}

// value is a text and its place, if it stands in a file.
type value struct {
	text   string
	line   int
	column int
	source string // the line of the file itself
}

// Load reads all sources and returns the configuration they make, and what a
// user should be warned of. The error joins every fault (see [Faults]); with
// one, there is no configuration. A refused address is a [*BindError].
func (l *Loader) Load() (Config, []string, error) {
	b := builder{read: l.ReadFile, config: Default(), failed: map[string]bool{}}
	if b.read == nil {
		b.read = os.ReadFile
	}
	b.config.origins = map[string]Origin{}
	variables, warnings, faults := environment(l.Environ)
	b.faults = faults
	flags := flagEntries(l.Flags)
	path := ""
	for _, e := range append(variables[:len(variables):len(variables)], flags...) {
		if e.setting.Name == "config" {
			path = e.values[len(e.values)-1].text
		}
	}
	if path != "" {
		b.apply(b.file(path))
	}
	b.apply(variables)
	b.apply(flags)
	for _, write := range b.late {
		write(&b.config)
	}
	b.faults = append(b.faults, b.config.faults(b.failed)...)
	slices.SortStableFunc(b.faults, byLine)
	if err := errors.Join(b.faults...); err != nil {
		return Config{}, warnings, err
	}
	return b.config, warnings, nil
}

// builder puts a configuration together, least source first.
type builder struct {
	read   func(string) ([]byte, error)
	config Config
	faults []error
	failed map[string]bool // settings with a faulty value
	late   []func(*Config) // what looks at other settings
}

func (b *builder) apply(entries []entry) {
	for _, e := range entries {
		before := len(b.faults)
		texts := b.check(e)
		if len(b.faults) > before {
			b.failed[e.setting.Name] = true
			continue
		}
		if e.late != nil {
			b.late = append(b.late, e.late)
		} else if err := e.setting.field.set(&b.config, texts); err != nil {
			b.fault(e, value{}, err)
			continue
		}
		b.config.origins[e.setting.Name] = e.origin
	}
}

// check returns the entry's texts, secrets read from their files, after
// noting the fault of each that is not allowed.
func (b *builder) check(e entry) []string {
	var texts []string
	for _, v := range e.values {
		text, err := v.text, error(nil)
		if e.setting.Secret {
			text, err = b.secret(text)
		}
		if err == nil {
			err = e.setting.field.check(text)
		}
		if err != nil {
			b.fault(e, v, err)
		}
		texts = append(texts, text)
	}
	return texts
}

// secret reads @FILE; other text is the secret itself.
func (b *builder) secret(text string) (string, error) {
	path, ok := strings.CutPrefix(text, "@")
	if !ok {
		return text, nil
	}
	content, err := b.read(path)
	if err != nil {
		return "", fmt.Errorf("can't read the secret: %w", err)
	}
	key := strings.TrimSpace(string(content))
	if strings.ContainsAny(key, "\r\n") {
		return "", fmt.Errorf("%s has several lines; it must hold one secret and nothing else", quote(path))
	}
	return key, nil
}

func (b *builder) fault(e entry, v value, err error) {
	f := &Fault{Key: e.setting.Name, Origin: e.origin, Column: v.column, Line: v.source, Problem: err.Error()}
	if v.line > 0 {
		f.Origin.Line = v.line
	}
	b.faults = append(b.faults, f)
}

func flagEntries(flags map[string][]string) []entry {
	var entries []entry
	for i := range table {
		s := &table[i]
		if texts, ok := flags[s.Name]; ok && len(texts) > 0 && !s.FileOnly {
			entries = append(entries, textEntry(s, Origin{Flag: s.Flag()}, texts))
		}
	}
	return entries
}

func textEntry(s *Setting, o Origin, texts []string) entry {
	e := entry{setting: s, origin: o}
	for _, text := range texts {
		e.values = append(e.values, value{text: text})
	}
	return e
}

// file reads the file at path; its faults are noted.
func (b *builder) file(path string) []entry {
	content, err := b.read(path)
	if err != nil {
		b.faults = append(b.faults, fmt.Errorf("can't read the configuration: %w", err))
		return nil
	}
	entries, faults := decodeFile(path, content)
	b.faults = append(b.faults, faults...)
	return entries
}
