// Package test runs the whole program as its users do: a process with flags,
// files and signals, and clients of many kinds at its port. It holds nothing
// but tests.
//
// Clients that others wrote (Node's ws, Python's websockets, Chromium) are
// used where they are installed; with HOLDFAST_TEST_ALL set, as scripts/test
// sets it, a missing one is a failure.
package test
