package enginetest

import (
	"fmt"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

var retention = []test{
	{name: "KeepsByNumber", run: byNumber, setup: Setup{Rules: ledger.Rules{
		First: []ledger.Rule{
			{Channels: "none-*", Keep: ledger.Keep{}},
			{Channels: "few-*", Keep: ledger.Keep{Messages: 3, Age: time.Hour}},
			{Channels: "few-or-many", Keep: ledger.Keep{Messages: 50}},
		},
		Default: ledger.Keep{Messages: 100, Age: time.Hour},
	}}},
	{name: "KeepsByBytes", run: byBytes, setup: Setup{Rules: ledger.Rules{Default: ledger.Keep{Messages: 1000, Age: time.Hour, Bytes: 10_000}}}},
	{name: "KeepsByAge", slow: true, run: byAge, setup: Setup{Rules: ledger.Rules{Default: ledger.Keep{Messages: 1000, Age: time.Minute}}}},
	{name: "AChannelListenedToKeepsItsChain", slow: true, run: chain, setup: Setup{Rules: ledger.Rules{Default: ledger.Keep{Messages: 1000, Age: time.Minute}}}},
	{name: "KeepsNoMoreThanTheProcessMay", slow: true, run: byProcess, setup: Setup{Rules: ledger.Rules{Default: ledger.Keep{Messages: 1000, Age: time.Hour}}, MaxBytes: 1 << 20}},
}

// held expects that a channel holds its newest n messages and nothing else.
func (r *rig) held(channel string, n int) {
	r.Helper()
	p := r.read(channel, wire.ID{}, 0)
	want := r.published[channel]
	r.same(channel, r.entries(p), want[len(want)-n:], false)
	for _, since := range r.places(channel) {
		r.check(channel, since, 0, r.read(channel, since, 0), true)
	}
}

func byNumber(r *rig) {
	for i := range 240 {
		for _, channel := range []string{"none-1", "few-1", "few-or-many", "other"} {
			r.publish(channel, fmt.Sprint(i))
			if p := r.read(channel, wire.ID{}, 0); p.Count > 100 {
				r.Fatalf("%s holds %d messages", channel, p.Count)
			}
		}
	}
	for channel, n := range map[string]int{"none-1": 0, "few-1": 3, "few-or-many": 3, "other": 100} {
		r.held(channel, n)
	}
}

// byBytes publishes messages of all sizes, some longer than a channel keeps.
func byBytes(r *rig) {
	for i := range 200 {
		size := i * 37 % 3000
		if i%29 == 28 {
			size = 12_000
		}
		r.publish("a", `"`+strings.Repeat("x", size)+`"`)
		n, sum := 0, 0
		for list := r.published["a"]; n < len(list) && sum+list[len(list)-1-n].size <= 10_000; n++ {
			sum += list[len(list)-1-n].size
		}
		if p := r.read("a", wire.ID{}, 0); p.Count != n {
			r.Fatalf("%d messages are held, want %d of %d bytes", p.Count, n, sum)
		}
		if i%29 >= 27 {
			r.held("a", n)
		}
	}
}

// byAge publishes one message a second and expects a minute of them.
func byAge(r *rig) {
	for i := range 150 {
		r.publish("a", fmt.Sprint(i))
		time.Sleep(time.Second)
		p := r.read("a", wire.ID{}, 0)
		if want := min(i+1, 60); p.Count < want || p.Count > want+2 {
			r.Fatalf("after %d s %d messages are held", i+1, p.Count)
		}
		last := r.published["a"][i].id
		r.check("a", last, 0, r.read("a", last, 0), true)
	}
	time.Sleep(65 * time.Second)
	for range 2 { // with nothing held, and long after
		r.held("a", 0)
		time.Sleep(time.Hour)
	}
	before := r.published["a"][149].id
	r.publish("a", `"again"`)
	p := r.read("a", before, 0)
	r.check("a", before, 0, p, true)
	if !p.Complete || p.Count != 1 {
		r.Errorf("%d messages came after the newest that was seen, complete is %v", p.Count, p.Complete)
	}
}

// chain expects that what is delivered says what it follows, however long ago
// that was.
func chain(r *rig) {
	place := r.listen("a")
	for i := range 5 {
		r.publish("a", fmt.Sprint(i))
		time.Sleep(10 * time.Minute)
		if p := r.read("a", place, 0); p.Complete || p.Count > 0 {
			r.Fatalf("behind the first place: %d messages, complete is %v", p.Count, p.Complete)
		}
	}
	r.delivered("a")
	r.leave("a")
	for _, since := range r.places("a") {
		r.check("a", since, 0, r.read("a", since, 0), true)
	}
}

// byProcess publishes more than all channels may keep together.
func byProcess(r *rig) {
	counts, _ := r.engine.(interface{ HistoryBytes() int64 })
	pad := strings.Repeat("x", 900)
	var last time.Time
	for i := range 4000 {
		channel := fmt.Sprint("c", i*i%53)
		data := fmt.Appendf(nil, `"%s%d"`, pad, i)
		if i%100 == 99 { // a long one, which many have to make room for
			data = []byte(`"` + strings.Repeat("x", 40_000) + `"`)
		}
		last = r.try(wire.Publication{Channel: channel, Data: data}).Time
		if counts != nil && counts.HistoryBytes() > r.setup.MaxBytes {
			r.Fatalf("%d bytes are kept, the bound is %d", counts.HistoryBytes(), r.setup.MaxBytes)
		}
		if i%20 == 19 {
			time.Sleep(time.Second)
		}
	}
	kept, oldest, gone := 0, last, time.Time{}
	for channel, list := range r.published {
		p := r.read(channel, wire.ID{}, 0)
		r.check(channel, wire.ID{Epoch: p.Top.Epoch}, 0, r.read(channel, wire.ID{Epoch: p.Top.Epoch}, 0), true)
		kept += p.Count
		if n := len(list) - p.Count; n > 0 && list[n-1].at.After(gone) {
			gone = list[n-1].at
		}
		if p.Count > 0 && list[len(list)-p.Count].at.Before(oldest) {
			oldest = list[len(list)-p.Count].at
		}
	}
	if kept < 400 || kept > 1<<20/900 {
		r.Errorf("%d messages of 1 kB are kept in 1 MiB", kept)
	}
	if gone.Sub(oldest) > 2*time.Second {
		r.Errorf("a message of %v is gone and one of %v is kept", gone, oldest)
	}
}

var _ engine.Sink = (*sink)(nil)
