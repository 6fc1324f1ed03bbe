package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// rig is one engine at work, and the list of what was published through it.
type rig struct {
	*testing.T
	factory Factory
	setup   Setup
	engine  engine.Engine
	sink    *sink
	halt    func()
	// published is what each channel was given, in order. It is kept by tests
	// with one publisher.
	published map[string][]posted
}

// posted is a message that the engine acknowledged.
type posted struct {
	id   wire.ID
	at   time.Time
	data string
	size int // of the frame
}

func newRig(t *testing.T, f Factory, s Setup) *rig {
	return &rig{T: t, factory: f, setup: s, sink: newSink(), halt: func() {}, published: make(map[string][]posted)}
}

// play runs a test, on a fresh engine unless it makes its own.
func (r *rig) play(test test) {
	defer func() { r.halt() }()
	if !test.bare {
		r.begin(r.sink)
	}
	test.run(r)
}

// begin makes the engine and runs it.
func (r *rig) begin(sink engine.Sink) {
	r.engine = r.factory.New(r.T, sink, r.setup)
	r.start()
}

// start runs the engine until halt is called.
func (r *rig) start() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	ended := make(chan error, 1)
	e := r.engine
	go func() { ended <- e.Run(ctx) }()
	r.halt = func() {
		cancel()
		if err := <-ended; err != nil {
			r.Errorf("Run: %v", err)
		}
		r.halt = func() {}
	}
}

// restart stops the engine and starts it again on what it kept.
func (r *rig) restart() {
	r.Helper()
	r.halt()
	r.sink = newSink()
	if r.factory.Again != nil {
		r.engine = r.factory.Again(r.T, r.engine, r.sink, r.setup)
	} else {
		r.engine = r.factory.New(r.T, r.sink, r.setup)
	}
	r.start()
}

// listen has this node listen to a channel.
func (r *rig) listen(channel string) wire.ID {
	r.sink.listen(channel, true)
	return r.engine.Attach(channel)
}

// leave undoes listen.
func (r *rig) leave(channel string) {
	r.sink.listen(channel, false)
	r.engine.Detach(channel)
}

// publish publishes and expects that it works and is no repeat.
func (r *rig) publish(channel, data string) wire.ID {
	r.Helper()
	ack := r.try(wire.Publication{Channel: channel, Data: []byte(data)})
	if ack.Duplicate {
		r.Fatalf("a first publish to %s is called a duplicate", channel)
	}
	return ack.ID
}

// try publishes and expects that it works.
func (r *rig) try(p wire.Publication) engine.Ack {
	r.Helper()
	ack, err := r.engine.Publish(r.Context(), p)
	if err != nil {
		r.Fatalf("publish to %s: %v", p.Channel, r.fault(err))
	}
	if !ack.Duplicate {
		size := len(engine.NewMessage(p, ack.ID, ack.Time).Frame)
		r.published[p.Channel] = append(r.published[p.Channel], posted{id: ack.ID, at: ack.Time, data: string(p.Data), size: size})
	}
	return ack
}

// fault complains about an error that clients could not be shown.
func (r *rig) fault(err error) error {
	r.Helper()
	if _, ok := errors.AsType[*wire.Error](err); err != nil && !ok {
		r.Errorf("%T is no *wire.Error: %v", err, err)
	}
	return err
}

// read reads and expects that it works.
func (r *rig) read(channel string, since wire.ID, limit int) engine.Page {
	r.Helper()
	page, err := r.engine.Read(r.Context(), channel, since, limit)
	if err != nil {
		r.Fatalf("read %s since %v: %v", channel, since, r.fault(err))
	}
	return page
}

// entries returns the entries of a page.
func (r *rig) entries(p engine.Page) (list []*chanlog.Entry) {
	r.Helper()
	for e := p.First; e != nil; e = e.Next() {
		list = append(list, e)
		if e == p.Last {
			break
		}
	}
	if len(list) != p.Count || len(list) > 0 && list[len(list)-1] != p.Last {
		r.Fatalf("a page of %d entries holds %d from First to Last", p.Count, len(list))
	}
	return list
}

// frame is a message on the wire.
type frame struct {
	Type    string          `json:"type"`
	Channel string          `json:"channel"`
	ID      string          `json:"id"`
	Time    time.Time       `json:"time"`
	Event   string          `json:"event"`
	Data    json.RawMessage `json:"data"`
	After   string          `json:"after"`
	Reason  wire.GapReason  `json:"reason"`
}

// frame decodes an entry.
func (r *rig) frame(e *chanlog.Entry) (f frame) {
	r.Helper()
	if err := json.Unmarshal(e.JSON(), &f); err != nil {
		r.Fatalf("entry %d holds %q: %v", e.Seq, e.JSON(), err)
	}
	return f
}

// behind returns what was published to a channel behind a place.
func (r *rig) behind(channel string, since wire.ID) []posted {
	list := r.published[channel]
	for len(list) > 0 && list[0].id.Epoch == since.Epoch && list[0].id.Seq <= since.Seq {
		list = list[1:]
	}
	return list
}

// check holds a page that was read behind since with a limit against what was
// published. exact is whether it may be called incomplete only when something
// really is missing.
func (r *rig) check(channel string, since wire.ID, limit int, p engine.Page, exact bool) {
	r.Helper()
	name := fmt.Sprintf("%s since %v limit %d", channel, since, limit)
	list, want := r.entries(p), r.behind(channel, since)
	if p.Complete != (p.Gap == "") {
		r.Fatalf("%s: complete is %v, the gap %q", name, p.Complete, p.Gap)
	}
	missing := len(want)
	if len(list) > 0 {
		for missing = 0; missing < len(want) && want[missing].id.Seq != list[0].Seq; missing++ {
		}
	}
	switch {
	case p.Complete && missing > 0:
		r.Fatalf("%s: called complete, but %d of %d messages are missing before the first of %d", name, missing, len(want), len(list))
	case !p.Complete && missing == 0 && exact:
		r.Fatalf("%s: called incomplete (%s), but nothing is missing", name, p.Gap)
	}
	r.same(name, list, want[missing:], p.More)
	if limit > 0 && (len(list) > limit || p.More && len(list) < limit) {
		r.Fatalf("%s: %d entries, more is %v", name, len(list), p.More)
	}
	if n := len(r.published[channel]); n > 0 && p.Top.Epoch == r.published[channel][n-1].id.Epoch && p.Top.Seq < r.published[channel][n-1].id.Seq {
		r.Fatalf("%s: top is %v, the newest message %v", name, p.Top, r.published[channel][n-1].id)
	}
}

// same expects that a list is the beginning of what is wanted, and all of it
// unless there is more.
func (r *rig) same(name string, list []*chanlog.Entry, want []posted, more bool) {
	r.Helper()
	if len(list) > len(want) || more != (len(list) < len(want)) {
		r.Fatalf("%s: %d entries, %d are there, more is %v", name, len(list), len(want), more)
	}
	for i, e := range list {
		f := r.frame(e)
		if f.ID != want[i].id.String() || string(f.Data) != want[i].data || !f.Time.Equal(want[i].at.Truncate(time.Millisecond)) {
			r.Fatalf("%s: entry %d is %+v, want %+v", name, i, f, want[i])
		}
	}
}

// places returns places of a channel worth reading from: every message, just
// before and just behind it, and the newest place of all.
func (r *rig) places(channel string) (list []wire.ID) {
	r.Helper()
	top := r.read(channel, wire.ID{}, 0).Top
	for _, p := range r.published[channel] {
		for seq := p.id.Seq - 1; seq <= min(p.id.Seq+1, top.Seq); seq++ {
			list = append(list, wire.ID{Epoch: p.id.Epoch, Seq: seq})
		}
	}
	return append(list, top)
}
