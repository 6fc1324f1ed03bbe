package enginetest

import (
	"fmt"

	"holdfast.dev/holdfast/internal/wire"
)

var restarts = []test{
	{name: "ARestartLosesNothingOrSaysSo", setup: Setup{Rules: hundred}, run: restart},
}

// restart stops engines in order and starts them again, several times.
func restart(r *rig) {
	highest := make(map[string]wire.ID)
	for round := range 4 {
		for i := range 40 * (round + 1) {
			for _, channel := range []string{"a", "b"} {
				id := r.publish(channel, fmt.Sprintf(`"%d-%d"`, round, i))
				if last := highest[channel]; id.Epoch == last.Epoch && id.Seq <= last.Seq {
					r.Fatalf("%s: %v was given out after %v", channel, id, last)
				}
				highest[channel] = id
			}
		}
		keyed := wire.Publication{Channel: "a", Key: fmt.Sprint(round), Data: []byte(`"keyed"`)}
		highest["a"] = r.try(keyed).ID
		quiet := r.read("quiet", wire.ID{}, 0).Top
		r.restart()
		top := r.read("a", wire.ID{}, 0).Top
		if r.factory.Again == nil {
			r.reborn(highest, top.Epoch)
			clear(r.published)
			continue
		}
		r.resumed(highest, keyed, quiet)
	}
}

// reborn expects that nothing is left of another epoch.
func (r *rig) reborn(highest map[string]wire.ID, epoch string) {
	r.Helper()
	for channel, id := range highest {
		if p := r.read(channel, id, 0); id.Epoch == epoch || p.Complete || p.Gap != wire.GapRestarted || p.Count > 0 {
			r.Fatalf("%s since %v of another start: %d entries, complete is %v, gap %q, epoch %s", channel, id, p.Count, p.Complete, p.Gap, epoch)
		}
	}
}

// resumed expects that everything is as it was.
func (r *rig) resumed(highest map[string]wire.ID, p wire.Publication, quiet wire.ID) {
	r.Helper()
	first := highest[p.Channel]
	for channel := range highest {
		for _, since := range r.places(channel) {
			r.check(channel, since, 0, r.read(channel, since, 0), true)
		}
	}
	if page := r.read("quiet", quiet, 0); !page.Complete {
		r.Fatalf("a quiet channel is called incomplete after an orderly restart: %s", page.Gap)
	}
	if again := r.try(p); !again.Duplicate || again.ID != first {
		r.Fatalf("key %s of %v is not known after an orderly restart", p.Key, first)
	}
}
