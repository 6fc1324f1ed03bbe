// Package handover passes a running server to a new process: listeners,
// ownership of messages and sessions, over a socket pair that the new process
// inherits.
//
// Stage is the conversation as a state machine; both sides run the same one,
// and whatever does not fit it ends the conversation. Old and New drive it.
// They are told what is passed by those who have it, as opaque bytes and
// descriptors.
//
// # Who has what when somebody dies
//
// Everything that moves does so in four steps: it is offered, the new process
// has it and stands still, the old one lets go, the new one takes it up. The
// last two are said before they are done. So each side can tell from how far
// it heard the other one whose it is: until the old process let go, it is the
// old one's; when it let go and hears that the other one ended without a word
// about taking it up, it still is. Nothing is ever had by both, and a death
// takes nothing along but what its own process had.
//
// A failure before the engine has moved leaves the old process as if nothing
// had been; the new one is killed. A failure later ends the conversation:
// what has moved stays moved, what has not goes on where it is.
package handover
