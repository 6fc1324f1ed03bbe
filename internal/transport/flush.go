package transport

// maxFlush is how many writes a conn gets in a row, of up to scratchSize bytes
// each: a client that comes back may have much due, and take it as fast as it
// is sent.
const maxFlush = 8

// flush sends what is due, as much as the socket takes. A lot of it is left
// to later rounds, so that others get their turn.
func (l *Loop) flush(c *conn) {
	writes := 0
	for c.out != nil && c.state != doomed && c.state != lingering {
		o := c.out
		var p []byte
		switch {
		case len(o.rest) > 0:
			p = o.rest
		case o.events != nil && o.events.begun(o):
			continue
		case len(o.replies) > 0:
			p = o.replies
		case len(o.cursors) > 0 && o.cursors[0].lost != nil:
			o.tellLost(c.session.Deflate)
			continue
		case len(o.cursors) > 0 && o.events != nil:
			if p = l.spillEvents(o); p == nil {
				continue
			}
		case len(o.cursors) > 0:
			p = o.spill(l.spill[:0], c.frame)
		default:
			if !l.flushed(c) {
				return
			}
			continue
		}
		if writes++; writes > maxFlush && c.stream == nil && !l.parking {
			l.watchWrites(c)
			return
		}
		n, err := l.write(c, p)
		if err != nil {
			l.doom(c)
			return
		}
		l.Sent.Add(uint64(n))
		l.account(c, p, n)
		if n < len(p) {
			l.watchWrites(c)
			return
		}
	}
}

// write hands bytes to a conn's socket, or keeps them while it is parked.
func (l *Loop) write(c *conn, p []byte) (n int, err error) {
	if l.parking {
		l.parked = append(l.parked, p...)
		return len(p), nil
	}
	return c.write(p)
}

// account notes that n bytes of p, which was due next, went out.
func (l *Loop) account(c *conn, p []byte, n int) {
	o := c.out
	if n > 0 {
		o.taken = l.wheel.now
	}
	if o.events != nil && n > 0 {
		c.heard = l.wheel.now // its socket takes something: that is all it is ever heard to say
	}
	switch {
	case len(o.rest) > 0:
		if o.own {
			l.gate.hold(-n)
		}
		o.rest = o.rest[n:]
		o.lag -= n
		o.own = o.own && len(o.rest) > 0
	case len(o.replies) > 0:
		l.gate.hold(-n)
		o.lag -= n
		if o.replies = o.replies[n:]; n > 0 && len(o.replies) > 0 {
			o.rest, o.own, o.replies = o.replies, true, nil // a frame has begun: it goes out whole, whatever comes
		}
	case o.events != nil:
		l.spilledEvents(o, p, n)
	default:
		messages, done := o.spilled(n, c.frame)
		l.Delivered.Add(uint64(messages))
		if done {
			if f := o.remove(0); f != nil {
				l.settle(f)
			}
		}
	}
}

// flushed goes on when nothing is due any more, and reports whether something
// is now.
func (l *Loop) flushed(c *conn) (due bool) {
	if c.state == open {
		if c.out.events != nil {
			c.out.shrink()
		} else {
			c.out = nil
		}
		l.unwatchWrites(c)
		return false
	}
	if final := c.out.final; final != nil {
		c.out.rest, c.out.lag, c.out.final = final, len(final), nil
		return true
	}
	c.out = nil
	c.state = lingering
	c.shut()
	l.unwatchWrites(c)
	l.wheel.set(c, ticks(lingerTime))
	return false
}

func (l *Loop) dropReplies(c *conn) {
	l.gate.hold(-len(c.out.replies))
	c.out.lag -= len(c.out.replies)
	c.out.replies = nil
}

func (l *Loop) dropCursors(c *conn) {
	for len(c.out.cursors) > 0 {
		f := c.out.cursors[0].feed
		c.out.drop(0)
		if f != nil {
			l.settle(f)
		}
	}
}

// checkLag closes a session that is further behind than it may be, or has it
// go on from the newest messages. What it asked for by a place in the past
// does not count: it would never get it otherwise.
func (l *Loop) checkLag(c *conn) {
	if c.state != open || c.out.behind() <= l.Limits.MaxLag {
		return
	}
	if l.Limits.SkipSlow {
		l.Skipped.Add(uint64(c.out.skip()))
		if c.out.behind() <= l.Limits.MaxLag {
			return
		}
	}
	l.end(c, errSlow)
}

// watchWrites has the poller say when the socket takes bytes again.
func (l *Loop) watchWrites(c *conn) {
	if !c.writing && c.stream == nil {
		c.writing = true
		l.poller.watch(c.fd, c.slot, c.generation, true)
	}
}

func (l *Loop) unwatchWrites(c *conn) {
	if c.writing {
		c.writing = false
		l.poller.watch(c.fd, c.slot, c.generation, false)
	}
}
