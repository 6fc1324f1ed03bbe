package presence

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
)

// Roster implements session.Presence. It must be made by New; all methods may
// be called from any goroutine.
type Roster struct {
	// Static after New.
	patterns []wire.Pattern
	linger   time.Duration
	tell     func(channel string, frame []byte)
	added    chan struct{} // holds one when leavings has a new head

	mu sync.Mutex

	// Guarded by mu.
	channels map[string]map[member]*stay
	count    int       // stays
	leavings []leaving // in the order in which they are due
}

// member is who can be at a channel: a user, or a session without one.
type member struct {
	user string
	id   session.ID // zero for a user
}

// stay is a member's time at a channel.
type stay struct {
	sessions map[session.ID]struct{}
	last     session.ID // that left
	due      time.Time  // when the stay ends, once no session is left
}

// leaving is a stay that may end.
type leaving struct {
	channel string
	member  member
	due     time.Time
}

// New returns a roster of the channels that patterns cover. tell is handed
// each presence frame of a channel, in order; it must not block nor call the
// roster.
func New(patterns []wire.Pattern, linger time.Duration, tell func(channel string, frame []byte)) *Roster {
	return &Roster{
		patterns: patterns, linger: linger, tell: tell,
		added: make(chan struct{}, 1), channels: make(map[string]map[member]*stay),
	}
}

// Covers implements session.Presence.
func (r *Roster) Covers(channel string) bool {
	return slices.ContainsFunc(r.patterns, func(p wire.Pattern) bool { return p.Match(channel) })
}

func key(user string, id session.ID) member {
	if user != "" {
		return member{user: user}
	}
	return member{id: id}
}

// Join implements session.Presence.
func (r *Roster) Join(channel, user string, id session.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.channels[channel]
	if members == nil {
		members = make(map[member]*stay)
		r.channels[channel] = members
	}
	s := members[key(user, id)]
	if s == nil {
		s = &stay{sessions: make(map[session.ID]struct{}, 1)}
		members[key(user, id)] = s
		r.count++
		r.tell(channel, wire.AppendPresence(nil, channel, wire.PresenceJoin, user, id.String()))
	}
	s.sessions[id] = struct{}{}
	s.due = time.Time{}
}

// Leave implements session.Presence.
func (r *Roster) Leave(channel, user string, id session.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := key(user, id)
	s := r.channels[channel][m]
	if s == nil {
		return
	}
	delete(s.sessions, id)
	if len(s.sessions) > 0 {
		return
	}
	s.last = id
	if r.linger == 0 {
		r.endLocked(channel, m, s)
		return
	}
	s.due = time.Now().Add(r.linger)
	r.leavings = append(r.leavings, leaving{channel, m, s.due})
	if len(r.leavings) == 1 {
		select {
		case r.added <- struct{}{}:
		default:
		}
	}
}

// endLocked ends a stay. The caller holds mu.
func (r *Roster) endLocked(channel string, m member, s *stay) {
	delete(r.channels[channel], m)
	if len(r.channels[channel]) == 0 {
		delete(r.channels, channel)
	}
	r.count--
	r.tell(channel, wire.AppendPresence(nil, channel, wire.PresenceLeave, m.user, s.last.String()))
}

// Members implements session.Presence. Users are sorted by name; sessions
// without a user are counted together, under an empty name. A user who
// lingers is there with no sessions.
func (r *Roster) Members(channel string, limit int) (members []wire.Member, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit = max(limit, 1)
	first := firsts{limit: limit}
	nameless := 0
	for m, s := range r.channels[channel] {
		if m.user == "" {
			nameless += len(s.sessions)
			continue
		}
		total++
		first.add(wire.Member{User: m.user, Sessions: len(s.sessions)})
	}
	if nameless > 0 {
		total++
		first.add(wire.Member{Sessions: nameless})
	}
	first.cut()
	return first.members, total
}

// firsts are the first users by name, of those that were added. There may be
// a hundred times as many: they are neither kept nor sorted.
type firsts struct {
	limit   int
	members []wire.Member // up to twice limit
	full    bool
	last    string // the last name that may still be among them, once full
}

func (f *firsts) add(m wire.Member) {
	if f.full && m.User >= f.last {
		return
	}
	if f.members = append(f.members, m); len(f.members) >= 2*f.limit {
		f.cut()
	}
}

// cut sorts the members and leaves out those above the limit.
func (f *firsts) cut() {
	slices.SortFunc(f.members, func(a, b wire.Member) int { return cmp.Compare(a.User, b.User) })
	if len(f.members) >= f.limit {
		f.members = f.members[:f.limit]
		f.full, f.last = true, f.members[f.limit-1].User
	}
}

// Len returns how many stays there are, over all channels.
func (r *Roster) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Run ends stays whose linger is over, until ctx is done.
func (r *Roster) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if wait, any := r.expire(time.Now()); any {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-r.added:
		case <-ctx.Done():
			return nil
		}
	}
}

// expire ends the stays that are due and returns how long it is until the
// next, if there is one.
func (r *Roster) expire(now time.Time) (wait time.Duration, any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.leavings) > 0 {
		l := r.leavings[0]
		if wait := l.due.Sub(now); wait > 0 {
			return wait, true
		}
		r.leavings[0] = leaving{}
		r.leavings = r.leavings[1:]
		// The member may have come back since, and left again later.
		if s := r.channels[l.channel][l.member]; s != nil && s.due.Equal(l.due) {
			r.endLocked(l.channel, l.member, s)
		}
	}
	r.leavings = nil
	return 0, false
}
