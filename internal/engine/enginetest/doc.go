// Package enginetest is the suite that every engine has to pass: what the hub
// and the clients behind it rely on, checked against a plain list of what was
// published.
//
// An engine's own test calls Run. Unless it says that it cannot, each test
// runs in a bubble of testing/synctest, so that minutes pass at once; the
// engine must not talk over real sockets then.
//
// Lossy wraps any engine and treats what it delivers as a bad network would.
// The second half of the suite stands a hub behind it.
package enginetest
