package chanlog

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestLog_ResumesWhileItGrowsAndForgets has readers resume, under the lock
// that serialises changes, and walk on without it. Each must see what follows
// its place without a hole, or be told that something is gone.
func TestLog_ResumesWhileItGrowsAndForgets(t *testing.T) {
	const messages, readers, keep = 30_000, 3, 50
	var mu sync.Mutex
	var l Log
	var told atomic.Int64
	resume := func(place uint64) (first *Entry, complete bool, last uint64) {
		mu.Lock()
		defer mu.Unlock()
		first, complete = l.After(place)
		return first, complete, l.Last()
	}
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for place := uint64(0); place < messages; {
				first, complete, last := resume(place)
				if !complete {
					told.Add(1)
				} else if first != nil && first.Seq != place+1 {
					t.Errorf("%d follows %d and nothing is said to be gone", first.Seq, place)
				}
				seen := uint64(0)
				for e := first; e != nil; e = e.Next() {
					if seen > 0 && e.Seq != seen+1 {
						t.Errorf("%d follows %d", e.Seq, seen)
					}
					seen = e.Seq
				}
				if seen < last && first != nil {
					t.Errorf("a walk ends at %d, the log was at %d", seen, last)
				}
				place = max(place, seen)
			}
		})
	}
	for seq := uint64(1); seq <= messages; seq++ {
		mu.Lock()
		l.Append(entry(seq, 1))
		for l.Len() > keep {
			l.Drop()
		}
		if l.Len() > keep || l.Gone()+uint64(l.Len()) != seq {
			t.Errorf("%d are held of %d, %d are gone", l.Len(), seq, l.Gone())
		}
		mu.Unlock()
	}
	wg.Wait()
	t.Logf("%d times something was gone", told.Load())
}
