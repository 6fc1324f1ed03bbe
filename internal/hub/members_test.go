package hub

import (
	"math/rand/v2"
	"testing"
)

// TestMembers_AWalkVisitsEachOnce walks in random steps while others join and
// leave, against the plain meaning of it.
func TestMembers_AWalkVisitsEachOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		var m Members
		index := make(map[int32]int32)
		due, visited := make(map[int32]bool), make(map[int32]int)
		var next int32
		join := func() {
			index[next] = m.Add(next)
			next++
		}
		for range rng.IntN(8) {
			join()
		}
		m.Begin()
		for slot := range index {
			due[slot] = true
		}
		for range 40 {
			switch rng.IntN(4) {
			case 0:
				join()
			case 1:
				for slot, i := range index {
					m.Remove(i, func(slot, at int32) { index[slot] = at })
					delete(index, slot)
					delete(due, slot)
					break
				}
			default:
				if slot, ok := m.Next(); ok {
					visited[slot]++
				}
			}
			for slot, i := range index {
				if m.All()[i] != slot {
					t.Fatalf("slot %d is not at its index %d of %v", slot, i, m.All())
				}
			}
		}
		for slot, ok := m.Next(); ok; slot, ok = m.Next() {
			visited[slot]++
		}
		for slot := range due {
			if visited[slot] != 1 {
				t.Fatalf("member %d was visited %d times", slot, visited[slot])
			}
		}
		for slot, times := range visited {
			if times != 1 {
				t.Fatalf("slot %d was visited %d times", slot, times)
			}
		}
	}
}

func TestMembers_OneThatJoinsDuringAWalkIsLeftOut(t *testing.T) {
	var m Members
	m.Add(1)
	m.Begin()
	m.Add(2)
	if slot, ok := m.Next(); !ok || slot != 1 {
		t.Fatalf("got %d %v, want 1", slot, ok)
	}
	if slot, ok := m.Next(); ok {
		t.Errorf("visited %d, who joined later", slot)
	}
	m.Again()
	if slot, ok := m.Next(); !ok || slot != 1 {
		t.Errorf("second round: got %d %v, want 1", slot, ok)
	}
	if _, ok := m.Next(); ok {
		t.Error("the second round took in who joined later")
	}
}
