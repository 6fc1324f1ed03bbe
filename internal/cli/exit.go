package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"holdfast.dev/holdfast/internal/config"
)

// Exit codes of client commands; the server's own are in package drain. Both
// are explained by "holdfast help exit-codes".
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitRefused     = 4
	exitWaited      = 5
	exitInterrupted = 130
)

// exitError ends a command with a code.
type exitError struct {
	code int
	err  error // shown to the user; nil when all has been said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// finish shows err and returns the exit code that goes with it.
func (a *app) finish(err error) int {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return exitDone // whoever read our output has seen enough
	}
	code, shown := exitFailed, err
	if e, ok := errors.AsType[*exitError](err); ok {
		code, shown = e.code, e.err
	} else if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if shown == nil {
		return code
	}
	for _, fault := range config.Faults(shown) {
		fmt.Fprintf(a.Err, "holdfast: %s\n", plain(fault.Error()))
	}
	if a.common.json || slices.Contains(a.args, "--json") {
		a.jsonError(code, shown)
	}
	return code
}

// jsonError writes the error as one JSON line to standard output, for those
// who asked for JSON.
func (a *app) jsonError(code int, err error) {
	body := errorBody{Code: exitName[code], Message: err.Error()}
	if r, ok := errors.AsType[*refusal](err); ok {
		body = r.body
	}
	json.NewEncoder(a.Out).Encode(errorAnswer{Error: body})
}

var exitName = map[int]string{
	exitFailed:      "failed",
	exitUsage:       "usage",
	exitUnreachable: "unreachable",
	exitRefused:     "refused",
	exitWaited:      "waited_too_long",
}
