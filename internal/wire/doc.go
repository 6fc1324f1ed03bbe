// Package wire holds what clients can see: the JSON frames in both
// directions, message ids, the grammar of names, close codes and the
// catalogue of error codes. PROTOCOL.md says the same to users.
//
// Everything here is a pure function over bytes. Nothing in this package
// starts a goroutine, keeps state or reads a clock, and it imports the
// standard library only.
package wire
