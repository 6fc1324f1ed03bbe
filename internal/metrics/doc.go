// Package metrics tells Prometheus about one server.
//
// Most values are read from the parts that keep them, when somebody asks:
// New is given Sources, functions that read a counter and return at once.
// What no other part keeps is counted here: refusals, ends of sessions and
// the time that publishes take.
//
// Labels come from fixed sets only, so no client can make a new series. The
// names and their meaning stand in docs/metrics.md. The Prometheus client
// library is imported by this package alone.
package metrics
