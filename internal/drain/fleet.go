package drain

// Fleet is all sessions of this server. Its methods are safe for concurrent
// use.
type Fleet interface {
	// Census counts the sessions.
	Census() Census
	// StopAdmitting refuses new sessions from now on, under the lock that
	// counts the others, so that none slips past.
	StopAdmitting()
	// ResumeAdmitting lets new sessions in again.
	ResumeAdmitting()
	// Empty is closed when admitting has stopped and no session is left. It
	// is another one after each ResumeAdmitting.
	Empty() <-chan struct{}
	// Tell has every session told, and those that come later until admitting
	// stops or the next Tell; but newcomers are not told of a drain that was
	// called off. It does not wait for it.
	Tell(Notice)
	// CloseSome begins the orderly end of n more sessions, or of all that are
	// left if those are fewer; quiet ones first. It does not wait for it.
	CloseSome(n int)
}

// Census is how many sessions there are, by how far they are on their way
// out.
type Census struct {
	Open     int  // all of them
	Admitted int  // let in so far
	Refusing bool // admitting had stopped: neither can rise
	Staying  int  // of those open, not told to end
	Restarts int  // ended so far by CloseSome
	Moved    int  // left so far, after they had been invited to
}
