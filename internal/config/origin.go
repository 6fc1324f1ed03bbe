package config

import "fmt"

// Origin says where a value came from. The zero Origin is the default.
type Origin struct {
	// Flag is the flag's name with its dashes, when it came from a flag.
	Flag string
	// Variable is the variable's name, when it came from the environment.
	Variable string
	// File and Line are the place in the file, when it came from one.
	File string
	Line int
}

// String returns "flag --listen", "HOLDFAST_LISTEN", "holdfast.yaml:12" or
// "default".
func (o Origin) String() string {
	switch {
	case o.Flag != "":
		return "flag " + o.Flag
	case o.Variable != "":
		return o.Variable
	case o.File != "":
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return "default"
}

// IsDefault reports whether no source set the value.
func (o Origin) IsDefault() bool { return o == Origin{} }
