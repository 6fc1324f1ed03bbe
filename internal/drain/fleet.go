package drain

// Fleet is all sessions of this server. Its methods are safe for concurrent
// use.
type Fleet interface {
	// StopAdmitting refuses new sessions from now on and returns how many are
	// open; both under one lock, so that none slips past.
	StopAdmitting() (open int)
	// Open returns how many sessions are open now, those that are told to
	// leave and not gone yet among them.
	Open() int
	// Empty is closed when admitting has stopped and no session is left.
	Empty() <-chan struct{}
	// CloseSome begins the orderly end of n more sessions, or of all that are
	// left if those are fewer; quiet ones first. It does not wait for it.
	CloseSome(n int)
}
