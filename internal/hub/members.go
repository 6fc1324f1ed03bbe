package hub

import "slices"

// Members are the sessions of one listener that subscribe to a channel, by
// their slots. They can be walked in steps while some join and leave: a walk
// visits each session once that was there at its beginning and still is, and
// none that joined later.
//
// The slots stand in three parts: those visited, those still to be visited,
// and those that joined since:
//
//	slots[:next]  slots[next:end]  slots[end:]
type Members struct {
	slots     []int32
	next, end int32
}

// Len returns how many there are.
func (m *Members) Len() int { return len(m.slots) }

// All returns the slots of all members, in no order. It may not be changed.
func (m *Members) All() []int32 { return m.slots }

// Add appends a slot and returns its index, which Remove wants.
func (m *Members) Add(slot int32) int32 {
	if cap(m.slots) == 0 {
		m.slots = make([]int32, 0, 2) // most channels have one subscriber
	}
	m.slots = append(m.slots, slot)
	return int32(len(m.slots) - 1)
}

// Remove takes out the slot at index. It moves up to two others and calls
// moved with their slots and new indexes.
func (m *Members) Remove(index int32, moved func(slot, index int32)) {
	hole := index
	fill := func(from int32) {
		if from != hole {
			m.slots[hole] = m.slots[from]
			moved(m.slots[hole], hole)
		}
		hole = from
	}
	if hole < m.next {
		m.next--
		fill(m.next)
	}
	if hole < m.end {
		m.end--
		fill(m.end)
	}
	last := int32(len(m.slots) - 1)
	fill(last)
	m.slots = m.slots[:last]
	if cap(m.slots) > 64 && len(m.slots) < cap(m.slots)/4 {
		m.slots = slices.Clip(slices.Clone(m.slots))
	}
}

// Stage is where a member stands in a walk.
type Stage int

// The stages of a walk.
const (
	Visited Stage = iota
	Due           // the walk has yet to come to it
	Apart         // it joined later and is left out
)

// Stage returns where the member at index stands in the walk under way.
func (m *Members) Stage(index int32) Stage {
	switch {
	case index < m.next:
		return Visited
	case index < m.end:
		return Due
	}
	return Apart
}

// Begin starts a walk over all members.
func (m *Members) Begin() { m.next, m.end = 0, int32(len(m.slots)) }

// Again starts over with the members of the walk under way.
func (m *Members) Again() { m.next = 0 }

// Finish ends the walk.
func (m *Members) Finish() { m.next, m.end = 0, 0 }

// Next returns the next slot of the walk; ok is false at its end.
func (m *Members) Next() (slot int32, ok bool) {
	if m.next == m.end {
		return 0, false
	}
	slot = m.slots[m.next]
	m.next++
	return slot, true
}
