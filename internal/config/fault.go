package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Fault is one thing wrong with the configuration: where it stands, what is
// wrong with it and what to write instead. [Loader.Load] joins all faults it
// finds into one error; [Faults] takes them apart.
type Fault struct {
	// Key is the setting's name, or the unknown key; empty when neither is
	// known.
	Key string
	// Origin is where the fault stands.
	Origin Origin
	// Column is the place in the line, from 1; 0 outside files.
	Column int
	// Line is the line of the file itself, without secrets.
	Line string
	// Problem says what is wrong and what to do.
	Problem string
}

// Error returns the place and the problem, and below it the line of the file
// with a mark under the place.
func (f *Fault) Error() string {
	var b strings.Builder
	switch o := f.Origin; {
	case o.File != "" && o.Line == 0:
		b.WriteString(o.File + ": ")
	case o.File != "" && f.Column == 0:
		fmt.Fprintf(&b, "%s:%d: ", o.File, o.Line)
	case o.File != "":
		fmt.Fprintf(&b, "%s:%d:%d: ", o.File, o.Line, f.Column)
	case o.Flag != "":
		b.WriteString(o.Flag + ": ")
	case o.Variable != "":
		b.WriteString(o.Variable + ": ")
	}
	if f.Origin.File != "" && f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Problem)
	if f.Line != "" {
		gutter := fmt.Sprintf("  %d | ", f.Origin.Line)
		b.WriteString("\n" + gutter + f.Line)
		if !strings.HasSuffix(f.Line, notShown) {
			b.WriteString("\n" + strings.Repeat(" ", len(gutter)+max(f.Column-1, 0)) + "^")
		}
	}
	return b.String()
}

// byLine puts the faults of a file before others, in the order of its lines.
func byLine(a, b error) int {
	at := func(err error) (line, column int) {
		if f, ok := errors.AsType[*Fault](err); ok && f.Origin.File != "" {
			return f.Origin.Line, f.Column
		}
		return math.MaxInt, 0
	}
	aLine, aColumn := at(a)
	bLine, bColumn := at(b)
	return cmp.Or(cmp.Compare(aLine, bLine), cmp.Compare(aColumn, bColumn))
}

// Faults returns what err was joined from, in order.
func Faults(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, Faults(e)...)
	}
	return all
}
