// Package cli is the command line of holdfast: the server itself (serve, and
// no subcommand at all) and the commands that speak to a running one.
//
// Each subcommand has a file of its own. Results go to standard output, words
// to standard error; what a command ends with is in exit.go and in
// "holdfast help exit-codes". [Run] needs no process around it, so that every
// command can be tested with buffers.
package cli
