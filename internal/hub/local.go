package hub

import (
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
)

// Beside the channels that have names of the protocol, a node has its own:
// what is told in them is told to those who listen at that moment, is kept by
// nobody and has no place that a client could come back to.

// localMark begins the names of a node's own channels. No channel name of the
// protocol can begin with it.
const localMark = '\x00'

// localEpoch is the epoch of all of them.
const localEpoch = "local"

// PresenceOf returns the node's own channel that tells who comes to a channel
// and who leaves it.
func PresenceOf(channel string) string { return string(localMark) + channel }

// Local reports whether a name is that of a node's own channel.
func Local(name string) bool { return name[0] == localMark }

// Tell has the JSON of a frame sent to everybody who listens to a channel of
// the node's own. It never blocks.
func (h *Hub) Tell(name string, frame []byte) {
	c := h.find(name)
	if c == nil {
		return
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.append(engine.NewEntry(frame, c.last+1, now, chanlog.Notice))
}
