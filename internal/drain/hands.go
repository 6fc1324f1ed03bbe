package drain

// order is what the hands do next.
type order struct {
	refuse bool
	force  bool
	close  int
	last   bool // nothing follows: count what was not delivered
}

func (o order) empty() bool { return o == order{} }

// news is what the hands bring back from each order.
type news struct {
	open        int
	empty       <-chan struct{} // set once admitting has stopped
	undelivered int
}

// hands call the fleet, one order at a time, so that a fleet that hangs
// holds up nobody else.
type hands struct {
	// Static after construction.
	runner  *Runner
	orders  chan order
	answers chan news // has room for the one answer, so that hands never wait for a reader
	done    chan struct{}
}

func newHands(r *Runner) *hands {
	return &hands{
		runner:  r,
		orders:  make(chan order, 1),
		answers: make(chan news, 1),
		done:    make(chan struct{}),
	}
}

// work carries out orders until the channel of orders is closed.
func (h *hands) work() {
	defer close(h.done)
	for o := range h.orders {
		h.answers <- h.carryOut(o)
	}
}

func (h *hands) carryOut(o order) news {
	answer := news{undelivered: Unknown}
	if o.force && h.runner.OnForcing != nil {
		h.runner.OnForcing()
	}
	if o.close > 0 {
		h.runner.fleet.CloseSome(o.close)
	}
	if o.refuse {
		answer.open = h.runner.fleet.StopAdmitting()
		answer.empty = h.runner.fleet.Empty()
	} else {
		answer.open = h.runner.fleet.Open()
	}
	if o.last && h.runner.Undelivered != nil {
		answer.undelivered = h.runner.Undelivered()
	}
	return answer
}
