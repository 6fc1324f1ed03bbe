// Package config holds every setting of the server: its name, default,
// bounds and meaning, where its value came from, and what a change of it
// needs.
//
// [Config] is the one struct that the rest of the program reads. The table
// in settings.go binds each of its fields to a name, from which the command
// line flag (--name), the variable (HOLDFAST_NAME), the key of the file and
// every listing are derived. A flag goes before a variable, a variable before
// the file, the file before the default.
//
// [Loader.Load] reads all sources and reports every fault at once, each with
// the place where it stands and what to write instead. [Changes] compares
// two configurations and says which differences need a restart.
//
// The package reads files when asked to load and does nothing else: no
// goroutine, no clock, no state.
package config
