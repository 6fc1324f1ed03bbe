package config

import "strings"

// Setting describes one setting: everything that flags, variables, file keys,
// help and listings are made from.
type Setting struct {
	// Name is the key of the file; see Flag and Variable.
	Name string
	// Default is the default as text, empty for none.
	Default string
	// Group is the heading that the setting stands under in listings. The
	// settings of a group follow one another.
	Group string
	// Help says what the setting does, in a few words.
	Help string
	// Secret values are never shown, may be read from @FILE, and have a
	// variable of their own for it: Variable() + "_FILE".
	Secret bool
	// Reloadable settings take effect on reload; others need a restart.
	Reloadable bool
	// FileOnly settings have neither flag nor variable.
	FileOnly bool
	// NoFile settings can't stand in the file.
	NoFile bool

	field field
}

// Settings returns all settings in the order of listings. The caller must not
// change them.
func Settings() []Setting { return table }

// Flag returns the name with its dashes.
func (s *Setting) Flag() string { return "--" + s.Name }

// Variable returns the name of the environment variable.
func (s *Setting) Variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Kind returns what a value is, in capitals: DURATION, SIZE, NUMBER, and so
// on. It is empty for a switch, which needs no value.
func (s *Setting) Kind() string { return s.field.kind }

// Bounds returns the values allowed, in words, empty when any is.
func (s *Setting) Bounds() string { return s.field.bounds }

// Repeatable reports whether the setting takes several values: a repeated
// flag, a list in the file, commas in the variable.
func (s *Setting) Repeatable() bool { return s.field.many }

// Text returns the setting's value in c for people: secrets redacted, several
// values joined by ", ", and nothing for none.
func (s *Setting) Text(c *Config) string {
	if s.Secret {
		return NewSecret(strings.Join(s.field.texts(c), "")).String()
	}
	return strings.Join(s.field.texts(c), ", ")
}

func (s *Setting) defaults() []string {
	if s.Default == "" && s.field.many {
		return nil
	}
	return []string{s.Default}
}

// lookup returns the setting of that name.
func lookup(name string) (*Setting, bool) {
	for i := range table {
		if table[i].Name == name {
			return &table[i], true
		}
	}
	return nil, false
}
