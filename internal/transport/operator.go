package transport

import (
	"cmp"
	"context"
	"slices"

	"holdfast.dev/holdfast/internal/session"
)

// Sessions returns the open sessions that f selects, f.Limit at most, in the
// order of their ids.
func (s *Server) Sessions(ctx context.Context, f session.Filter) []session.Info {
	found := ask(ctx, s.loops, func(l *Loop) (found []session.Info) {
		var slots []int32
		l.table.each(0, func(c *conn) bool {
			if c.state == open && c.session.Matches(f) {
				slots = append(slots, c.slot)
			}
			return true
		})
		slices.SortFunc(slots, func(a, b int32) int { return cmp.Compare(l.table.at(a).session.ID, l.table.at(b).session.ID) })
		if f.Limit > 0 && len(slots) > f.Limit {
			slots = slots[:f.Limit]
		}
		for _, slot := range slots {
			found = append(found, l.table.at(slot).info())
		}
		return found
	})
	slices.SortFunc(found, func(a, b session.Info) int { return cmp.Compare(a.ID, b.ID) })
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	return found
}

// Disconnect closes one session and reports whether there was one.
func (s *Server) Disconnect(ctx context.Context, id string, why *session.End) bool {
	wanted, ok := session.ParseID(id)
	return ok && len(ask(ctx, s.loops, func(l *Loop) []bool {
		slot, ok := l.ids[wanted]
		if !ok || l.table.at(slot).state != open {
			return nil
		}
		l.end(l.table.at(slot), why)
		return []bool{true}
	})) > 0
}

// Grant returns what the token of a session allows it, nil for a session
// without one, and whether there is such a session.
func (s *Server) Grant(ctx context.Context, id string) (g *session.Grant, found bool) {
	wanted, _ := session.ParseID(id)
	grants := ask(ctx, s.loops, func(l *Loop) []*session.Grant {
		slot, ok := l.ids[wanted]
		if !ok || l.table.at(slot).state != open {
			return nil
		}
		return []*session.Grant{l.table.at(slot).session.Grant}
	})
	if len(grants) == 0 {
		return nil, false
	}
	return grants[0], true
}

// DisconnectUser closes all sessions of a user and returns how many there
// were.
func (s *Server) DisconnectUser(ctx context.Context, user string, why *session.End) int {
	return s.disconnect(ctx, why, func(x *session.Session) bool { return x.User() == user && user != "" })
}

// DisconnectToken closes all sessions that are here by one token, named as in
// session.Grant.Token, and returns how many there were.
func (s *Server) DisconnectToken(ctx context.Context, token string, why *session.End) int {
	return s.disconnect(ctx, why, func(x *session.Session) bool { return x.Grant != nil && x.Grant.Token == token && token != "" })
}

func (s *Server) disconnect(ctx context.Context, why *session.End, match func(*session.Session) bool) int {
	return len(ask(ctx, s.loops, func(l *Loop) (ended []bool) {
		l.table.each(0, func(c *conn) bool {
			if c.state == open && match(&c.session) {
				l.end(c, why)
				ended = append(ended, true)
			}
			return true
		})
		return ended
	}))
}

// ask runs a job on every loop and returns what they answered, or what came
// before ctx was done.
func ask[T any](ctx context.Context, loops []*Loop, job func(*Loop) []T) (all []T) {
	answers := make(chan []T, len(loops))
	for _, l := range loops {
		l.do(func() { answers <- job(l) })
	}
	for range loops {
		select {
		case a := <-answers:
			all = append(all, a...)
		case <-ctx.Done():
			return all
		}
	}
	return all
}

func (c *conn) info() session.Info {
	i := c.session.Info()
	i.Transport = c.transportName()
	if c.out != nil {
		i.LagBytes = c.out.lag
	}
	return i
}

// endSome begins the orderly end of n sessions, quiet ones first. They are
// offered all that was published before.
func (l *Loop) endSome(n int) {
	for l.feeds.len() > 0 {
		l.offer()
	}
	for _, quiet := range []bool{true, false} {
		l.table.each(l.sweep, func(c *conn) bool {
			if n == 0 {
				l.sweep = c.slot
				return false
			}
			if c.state == open && (c.out == nil || c.out.lag == 0) == quiet {
				l.Restarts.Add(1) // before its client can tell
				l.end(c, restart())
				n--
			}
			return true
		})
	}
}
