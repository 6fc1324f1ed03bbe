package loadgen

// tally checks that the numbers arriving in each lane are 1, 2, 3 … A lane is
// one client's view of one channel. Only the loop that owns it may touch it.
type tally struct {
	last []uint64 // by lane: the highest number seen
	seen []uint64 // by lane: bit k says that last−k was seen

	delivered  uint64 // counts each number once
	lost       uint64 // numbers skipped and not seen since
	repeated   uint64
	outOfOrder uint64 // came after a higher number
}

func newTally(lanes int) tally {
	t := tally{last: make([]uint64, lanes), seen: make([]uint64, lanes)}
	for i := range t.seen {
		t.seen[i] = 1 // number 0 is never sent and never missed
	}
	return t
}

// arrived counts number seq in a lane.
func (t *tally) arrived(lane int, seq uint64) {
	if seq == t.last[lane]+1 {
		t.last[lane] = seq
		t.seen[lane] = t.seen[lane]<<1 | 1
		t.delivered++
		return
	}
	t.irregular(lane, seq)
}

// irregular counts a number that is not the next. One that lies 64 or more
// behind can no longer be told from a repeated one and counts as that.
func (t *tally) irregular(lane int, seq uint64) {
	last := t.last[lane]
	if seq > last {
		t.lost += seq - last - 1
		t.seen[lane] = t.seen[lane]<<(seq-last) | 1
		t.last[lane] = seq
		t.delivered++
		return
	}
	back := last - seq
	if back >= 64 || t.seen[lane]>>back&1 == 1 {
		t.repeated++
		return
	}
	t.seen[lane] |= 1 << back
	t.lost--
	t.outOfOrder++
	t.delivered++
}
