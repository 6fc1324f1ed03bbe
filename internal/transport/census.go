package transport

// Census is how many sessions there are, by how far they are on their way
// out.
type Census struct {
	Open     int  // all of them
	Admitted int  // let in so far
	Refusing bool // no more are let in: neither can rise
	Staying  int  // of those open, not told to end
	Restarts int  // ended so far because this server ends
	Moved    int  // left so far, after they had been invited to
}

// Census counts the sessions. Open, Admitted and Refusing are of one moment;
// the rest may be of another shortly after.
func (s *Server) Census() (c Census) {
	c.Open, c.Admitted, c.Refusing = s.gate.count()
	for _, l := range s.loops {
		c.Staying += int(l.open.Load())
		c.Restarts += int(l.Restarts.Load())
		c.Moved += int(l.Moved.Load())
	}
	return c
}
