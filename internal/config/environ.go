package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const variablePrefix = "HOLDFAST_"

// ClientVariables are the variables that only the client commands read.
var ClientVariables = []string{"HOLDFAST_SERVER", "HOLDFAST_TOKEN", "HOLDFAST_TOKEN_FILE"}

// serviceLink matches the variables that Kubernetes sets in every container
// for a service whose name begins with "holdfast".
var serviceLink = regexp.MustCompile(`^HOLDFAST(_[A-Z0-9_]+)?_(PORT|SERVICE_[A-Z0-9_]+|PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)$`)

// environment reads HOLDFAST_ variables from NAME=value lines. Empty ones
// count as not set. Unknown ones only warn, since others may set them.
func environment(environ []string) (entries []entry, warnings []string, faults []error) {
	known := variables()
	set := map[string]bool{}
	for _, line := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || slices.Contains(ClientVariables, name) || set[name] {
			continue
		}
		s, text, ok := variable(name, value)
		switch {
		case ok && set[s.Variable()]:
			faults = append(faults, &Fault{Key: s.Name, Origin: Origin{Variable: name},
				Problem: fmt.Sprintf("%s is set too; keep one of them", s.Variable())})
		case ok:
			set[s.Variable()], set[name] = true, true
			entries = append(entries, textEntry(s, Origin{Variable: name}, text))
		case !serviceLink.MatchString(name):
			warnings = append(warnings, fmt.Sprintf("the variable %s is no setting.%s", quote(name), didYouMean(name, known)))
		}
	}
	return entries, warnings, faults
}

// variable returns the setting that the variable sets and the texts it sets
// it to.
func variable(name, value string) (*Setting, []string, bool) {
	for i := range table {
		s := &table[i]
		switch {
		case s.FileOnly:
		case name == s.Variable() && s.Repeatable():
			return s, commaList(value), true
		case name == s.Variable():
			return s, []string{value}, true
		case s.Secret && name == s.Variable()+"_FILE":
			return s, []string{"@" + value}, true
		}
	}
	return nil, nil, false
}

// variables returns every name that means something.
func variables() []string {
	names := slices.Clone(ClientVariables)
	for i := range table {
		if s := &table[i]; !s.FileOnly {
			names = append(names, s.Variable())
			if s.Secret {
				names = append(names, s.Variable()+"_FILE")
			}
		}
	}
	return names
}

func commaList(value string) []string {
	var list []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
