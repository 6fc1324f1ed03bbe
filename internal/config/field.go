package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"holdfast.dev/holdfast/internal/wire"
)

// field reads and writes one field of a Config as text.
type field struct {
	kind   string // see Setting.Kind
	bounds string // see Setting.Bounds
	many   bool
	check  func(text string) error
	set    func(c *Config, texts []string) error
	texts  func(c *Config) []string
	// node reads a setting that stands in the file only; what it returns
	// writes it, after all other settings.
	node func(d *decoder, node ast.Node) func(*Config)
}

// one makes a field that holds a single value.
func one[T any](kind, bounds string, at func(*Config) *T, parse func(string) (T, error), format func(T) string) field {
	return field{
		kind: kind, bounds: bounds,
		check: func(text string) error { _, err := parse(text); return err },
		set: func(c *Config, texts []string) (err error) {
			*at(c), err = parse(texts[len(texts)-1])
			return err
		},
		texts: func(c *Config) []string {
			if text := format(*at(c)); text != "" {
				return []string{text}
			}
			return nil
		},
	}
}

// several makes a field that holds a list.
func several[T any](kind string, at func(*Config) *[]T, parse func(string) (T, error), format func(T) string) field {
	return field{
		kind: kind, many: true,
		check: func(text string) error { _, err := parse(text); return err },
		set: func(c *Config, texts []string) error {
			var list []T
			for _, text := range texts {
				v, err := parse(text)
				if err != nil {
					return err
				}
				list = append(list, v)
			}
			*at(c) = list
			return nil
		},
		texts: func(c *Config) (texts []string) {
			for _, v := range *at(c) {
				texts = append(texts, format(v))
			}
			return texts
		},
	}
}

func duration(at func(*Config) *time.Duration, low, high time.Duration) field {
	bounds := formatDuration(low) + " to " + formatDuration(high)
	return one("DURATION", bounds, at, within(parseDuration, low, high, bounds), formatDuration)
}

// durationOrZero is duration, and 0 is allowed too.
func durationOrZero(at func(*Config) *time.Duration, low, high time.Duration) field {
	f := duration(at, low, high)
	bounded := f.check
	bounds := "0 or " + f.bounds
	return one("DURATION", bounds, at, func(text string) (time.Duration, error) {
		d, err := parseDuration(text)
		if err == nil && d != 0 {
			err = bounded(text)
		}
		return d, err
	}, formatDuration)
}

func size(at func(*Config) *Size, low, high Size) field {
	bounds := low.String() + " to " + high.String()
	return one("SIZE", bounds, at, within(ParseSize, low, high, bounds), Size.String)
}

func number(at func(*Config) *int, low, high int) field {
	bounds := fmt.Sprintf("%d to %d", low, high)
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("%s is not a whole number", quote(text))
		}
		return n, nil
	}
	return one("NUMBER", bounds, at, within(parse, low, high, bounds), strconv.Itoa)
}

func toggle(at func(*Config) *bool) field {
	parse := func(text string) (bool, error) {
		v, err := strconv.ParseBool(text)
		if err != nil {
			return false, fmt.Errorf("%s is neither true nor false", quote(text))
		}
		return v, nil
	}
	return one("", "true or false", at, parse, strconv.FormatBool)
}

// path makes a field for the name of a file or folder. Whether it is there is
// seen when it is opened.
func path(kind string, at func(*Config) *string) field {
	parse := func(text string) (string, error) { return text, nil }
	return one(kind, "", at, parse, asText[string])
}

func address(at func(*Config) *string, check func(string) error) field {
	parse := func(text string) (string, error) { return text, check(text) }
	return one("HOST:PORT", "", at, parse, asText[string])
}

// choice makes a field that holds one of a few words.
func choice[T ~string](kind string, at func(*Config) *T, words ...T) field {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	last := len(list) - 1
	bounds := strings.Join(list[:last], ", ") + " or " + list[last]
	parse := func(text string) (T, error) {
		if !slices.Contains(words, T(text)) {
			return "", fmt.Errorf("%s is none of %s", quote(text), strings.Join(list, ", "))
		}
		return T(text), nil
	}
	return one(kind, bounds, at, parse, asText[T])
}

func logLevel(at func(*Config) *slog.Level) field {
	parse := func(text string) (slog.Level, error) {
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if strings.EqualFold(text, l.String()) {
				return l, nil
			}
		}
		return 0, fmt.Errorf("%s is none of debug, info, warn, error", quote(text))
	}
	return one("LEVEL", "debug, info, warn or error", at, parse, func(l slog.Level) string { return strings.ToLower(l.String()) })
}

func secrets(kind string, least int, at func(*Config) *[]Secret, parse func(string) (Secret, error)) field {
	f := several(kind, at, parse, Secret.Reveal)
	f.bounds = fmt.Sprintf("at least %d bytes", least)
	return f
}

func patterns(at func(*Config) *[]wire.Pattern) field {
	return several("PATTERN", at, parsePattern, asText[wire.Pattern])
}

// fileList makes a field that is written by the file's reader alone.
func fileList(texts func(*Config) []string) field {
	return field{
		kind: "LIST", many: true,
		check: func(string) error { return fmt.Errorf("this stands in the file only") },
		set:   func(*Config, []string) error { return nil },
		texts: texts,
	}
}

// within adds bounds to a parser.
func within[T cmp.Ordered](parse func(string) (T, error), low, high T, bounds string) func(string) (T, error) {
	return func(text string) (T, error) {
		v, err := parse(text)
		if err == nil && (v < low || v > high) {
			err = fmt.Errorf("%s is not within %s", quote(text), bounds)
		}
		return v, err
	}
}

func asText[T ~string](v T) string { return string(v) }

// quote makes any text safe to show.
func quote(text string) string { return wire.Quote(text) }
