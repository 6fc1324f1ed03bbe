package drain

// order is what the hands do next. An empty one asks for news alone.
type order struct {
	force bool
	admit Admit
	tell  *Notice
	close int
	last  bool // nothing follows: count what was not delivered
}

// add merges what is to be done besides; of two orders that contradict each
// other the later counts.
func (o *order) add(a Actions) {
	o.force = o.force || a.Force
	if a.Admit == Resume {
		o.close = 0
	}
	if a.Admit != AsBefore {
		o.admit = a.Admit
	}
	if a.Tell != nil {
		o.tell = a.Tell
	}
	o.close += a.Close
}

func (o *order) empty() bool { return *o == order{} }

// news is what the hands bring back from each order.
type news struct {
	census      Census
	empty       <-chan struct{} // when admitting has stopped
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
	fleet := h.runner.fleet
	if o.force && h.runner.OnForcing != nil {
		h.runner.OnForcing()
	}
	switch o.admit {
	case Refuse:
		fleet.StopAdmitting()
		answer.empty = fleet.Empty()
	case Resume:
		fleet.ResumeAdmitting()
	}
	if o.tell != nil {
		fleet.Tell(*o.tell)
	}
	if o.close > 0 {
		fleet.CloseSome(o.close)
	}
	answer.census = fleet.Census()
	if o.last && h.runner.Undelivered != nil {
		answer.undelivered = h.runner.Undelivered()
	}
	return answer
}
