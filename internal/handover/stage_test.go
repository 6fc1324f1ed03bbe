package handover

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// seeded returns a random generator whose seed it logs. The variable
// HOLDFAST_SEED sets the seed.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("HOLDFAST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("HOLDFAST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestStage_NothingIsHadByBothOrByNobody looks at every thing said, when the
// conversation ends before it is heard and when it ends behind it. What the
// new process said is heard in any case: the old one reads to the end, and
// sees to it that there is one.
func TestStage_NothingIsHadByBothOrByNobody(t *testing.T) {
	for at, next := range grammar {
		if next == Over {
			continue
		}
		ends := [][2]Stage{{next, next}} // of the old process, of the new one
		if at.by == ByOld {
			ends = append(ends, [2]Stage{next, at.stage})
		}
		for _, e := range ends {
			old, new := e[0], e[1]
			if old.EngineOf(ByOld) == ByOld && new.EngineOf(ByNew) == ByNew && old != Taking {
				t.Errorf("both have the engine at %q and %q", old, new)
			}
			if old.EngineOf(ByOld) == ByNew && new.EngineOf(ByNew) == ByOld {
				t.Errorf("nobody has the engine at %q and %q", old, new)
			}
			if old >= Adopting && new >= Adopting && old.BatchOf(ByOld) == ByOld && new.BatchOf(ByNew) == ByNew && old != Resuming {
				t.Errorf("both have the sessions at %q and %q", old, new)
			}
		}
	}
}

// TestStage_EveryConversationEnds walks at random and expects to come to the
// end, and that nobody can be waited for who waits himself.
func TestStage_EveryConversationEnds(t *testing.T) {
	rng := seeded(t)
	for range 1000 {
		at := Starting
		for n := 0; at != Over; n++ {
			if n > 100_000 {
				t.Fatal("it does not end")
			}
			var list []said
			for s := range grammar {
				if s.stage == at {
					list = append(list, s)
				}
			}
			if len(list) == 0 {
				t.Fatalf("nothing can be said while %v", at)
			}
			s := list[rng.IntN(len(list))]
			for _, other := range list {
				if other.by != s.by && other.kind != Refuse && s.kind != Refuse {
					t.Fatalf("while %v both may speak", at)
				}
			}
			var ok bool
			if at, ok = at.After(s.by, s.kind); !ok {
				t.Fatal("the grammar contradicts itself")
			}
		}
	}
}

func FuzzBatch(f *testing.F) {
	m := encodeBatch([]Session{{FD: 1, State: []byte("one")}, {FD: 2}})
	f.Add(m.payload, 2)
	f.Fuzz(func(t *testing.T, payload []byte, n int) {
		m := message{kind: Batch, payload: payload, fds: make([]int, min(max(n, 0), MostDescriptors+1))}
		list, err := decodeBatch(&m)
		if err != nil {
			return
		}
		if len(list) != len(m.fds) {
			t.Fatalf("%d sessions with %d descriptors", len(list), len(m.fds))
		}
		again, err := decodeBatch(new(encodeBatch(list)))
		if err != nil || len(again) != len(list) {
			t.Fatal(err)
		}
	})
}
