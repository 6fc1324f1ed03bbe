// Package drain ends the server without cutting anybody off: it goes on
// serving its clients until none is left or the limit is over, says all the
// while how many remain and how long they have, tells the clients too, and
// closes those that are left in order and not all at once.
//
// Machine is all of the thinking: a state machine without a goroutine, a
// clock or a socket. It is told the time, the signals and how many sessions
// are open, and says what to do. Runner is all of the doing: it waits for
// signals, calls of the HTTP interface, timers and the last client, and has
// the Fleet and the log do what the machine says.
//
//	serving → announcing → waiting → shedding → forcing → stopped
//	   ↑__________|___________|__________|   called off, by Runner.Cancel alone
//
// A Runner's Run returns at the latest Config.Wall after the limit, and at
// once at the third signal, even when the fleet or the log hangs.
package drain
