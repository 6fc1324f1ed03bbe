// Package node wires one server together: it makes the parts, connects them,
// runs them until the drain is over, and stops them in the right order.
package node
