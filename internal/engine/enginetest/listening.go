package enginetest

import (
	"fmt"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

var listening = []test{
	{name: "EverythingBehindThePlaceOfAttachComes", setup: Setup{Rules: all}, run: attach},
	{name: "AQuietChannelIsNotToldOfAGap", setup: Setup{Rules: hundred}, slow: true, run: quiet},
}

// attach begins to listen while others publish.
func attach(r *rig) {
	const publishers, each, listeners = 4, 400, 40
	var wg sync.WaitGroup
	for n := range publishers {
		wg.Go(func() {
			for i := range each {
				channel := fmt.Sprint("c", (i+n)%listeners)
				if _, err := r.engine.Publish(r.Context(), wire.Publication{Channel: channel, Data: []byte(`1`)}); err != nil {
					r.Errorf("publish: %v", r.fault(err))
					return
				}
			}
		})
	}
	begun := make([]wire.ID, listeners)
	for c := range listeners {
		begun[c] = r.listen(fmt.Sprint("c", c))
	}
	wg.Wait()
	for c := range listeners {
		channel := fmt.Sprint("c", c)
		got := r.sink.of(channel)
		for len(got) > 0 && got[0].Entry.Seq <= begun[c].Seq {
			got = got[1:]
		}
		p := r.read(channel, begun[c], 0)
		if !p.Complete || p.Count != len(got) {
			r.Errorf("%s: %d are behind the place of attach, complete is %v; %d came", channel, p.Count, p.Complete, len(got))
		}
		r.leave(channel)
	}
}

// quiet comes back to channels where nothing happened while much did in
// others.
func quiet(r *rig) {
	var silent []string
	var left []wire.ID
	for i := range 200 {
		silent = append(silent, fmt.Sprint("silent-", i))
		left = append(left, r.listen(silent[i]))
	}
	for i := range 20_000 {
		r.publish(fmt.Sprint("c", i), `1`)
	}
	time.Sleep(20 * time.Minute) // all of it is forgotten
	for i, channel := range silent {
		if p := r.read(channel, left[i], 0); !p.Complete {
			r.Fatalf("%s was listened to and is called incomplete", channel)
		}
		r.leave(channel)
	}
	for i, channel := range silent {
		if p := r.read(channel, left[i], 0); !p.Complete {
			r.Fatalf("%s was listened to until now and is called incomplete", channel)
		}
	}
}
