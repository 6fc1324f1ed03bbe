package hub

import (
	"cmp"
	"slices"
	"strings"
)

// ChannelInfo is what can be seen of a channel.
type ChannelInfo struct {
	Name        string `json:"channel"`
	Subscribers int    `json:"subscribers"`
}

// Channel returns what there is to see of one channel; ok is false when
// nobody listens to it.
func (h *Hub) Channel(name string) (info ChannelInfo, ok bool) {
	c := h.find(name)
	if c == nil {
		return ChannelInfo{}, false
	}
	return ChannelInfo{Name: name, Subscribers: int(c.members.Load())}, true
}

// Channels returns up to limit channels that somebody listens to, sorted by
// name, of those whose names begin with prefix and stand behind after.
func (h *Hub) Channels(prefix, after string, limit int) []ChannelInfo {
	var found []ChannelInfo
	for i := range h.shards {
		found = h.shards[i].list(found, prefix, after)
	}
	slices.SortFunc(found, func(a, b ChannelInfo) int { return cmp.Compare(a.Name, b.Name) })
	return found[:min(limit, len(found))]
}

func (s *shard) list(found []ChannelInfo, prefix, after string) []ChannelInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for name, c := range s.channels {
		if !Local(name) && name > after && strings.HasPrefix(name, prefix) {
			found = append(found, ChannelInfo{Name: name, Subscribers: int(c.members.Load())})
		}
	}
	return found
}

// Count returns how many channels somebody listens to.
func (h *Hub) Count() (n int) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		n += len(s.channels) - s.locals
		s.mu.RUnlock()
	}
	return n
}
