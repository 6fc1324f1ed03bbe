package transport

// chunkSize is how many conns are allocated together.
const chunkSize = 128

// table holds a loop's conns by slot. Conns never move; a slot that is used
// again has another generation.
type table struct {
	chunks []*[chunkSize]conn
	spare  []int32 // free slots
	used   int
}

// slots returns how many slots there are, in use or not.
func (t *table) slots() int32 { return int32(len(t.chunks) * chunkSize) }

// at returns the conn in a slot.
func (t *table) at(slot int32) *conn { return &t.chunks[slot/chunkSize][slot%chunkSize] }

// live returns the conn in a slot if it is still the one of that generation.
func (t *table) live(slot int32, generation uint32) *conn {
	if c := t.at(slot); c.state != free && c.generation == generation {
		return c
	}
	return nil
}

// take returns an unused conn.
func (t *table) take() *conn {
	if len(t.spare) == 0 {
		t.grow()
	}
	slot := t.spare[len(t.spare)-1]
	t.spare = t.spare[:len(t.spare)-1]
	t.used++
	return t.at(slot)
}

func (t *table) grow() {
	base := int32(len(t.chunks)) * chunkSize
	t.chunks = append(t.chunks, new([chunkSize]conn))
	for i := base + chunkSize - 1; i >= base; i-- {
		c := t.at(i)
		c.slot, c.fd = i, -1
		t.spare = append(t.spare, i)
	}
}

// release gives a conn's slot back.
func (t *table) release(c *conn) {
	*c = conn{slot: c.slot, fd: -1, generation: c.generation + 1}
	t.spare = append(t.spare, c.slot)
	t.used--
}

// each calls f with every conn in use until f returns false, beginning at a
// slot and going round once.
func (t *table) each(from int32, f func(*conn) bool) {
	n := t.slots()
	for i := range n {
		if c := t.at((from + i) % n); c.state != free && !f(c) {
			return
		}
	}
}
