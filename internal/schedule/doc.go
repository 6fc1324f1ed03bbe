// Package schedule publishes messages again and again, each at its own
// interval.
//
// A Runner counts every schedule's intervals from the moment at which Run
// began, so that none drifts. Ticks that were missed because the process
// stood still or a publish took too long are skipped, not made up for: a late
// schedule publishes once and goes on in its old rhythm. A publish that fails
// is logged and counted and stops nothing.
package schedule
