package hub_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/wire"
)

// elsewhere is an engine whose messages come from somewhere else: all that it
// says of a channel is what it was told to.
type elsewhere struct {
	engine.Engine
	top  wire.ID
	page engine.Page
}

func (e *elsewhere) Attach(string) wire.ID { return e.top }

func (e *elsewhere) Read(context.Context, string, wire.ID, int) (engine.Page, error) {
	return e.page, nil
}

// TestHub_AMessageOfAnotherEpochComesBehindAGap delivers a message whose epoch
// has just begun: its seq is lower than those before.
func TestHub_AMessageOfAnotherEpochComesBehindAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ear
		h := hub.New()
		id := wire.ID{Epoch: "new", Seq: 5}
		m := engine.NewMessage(wire.Publication{Channel: "news", Data: []byte("1")}, id, time.Now())
		h.Use(&elsewhere{
			top:  wire.ID{Epoch: "old", Seq: 100},
			page: engine.Page{First: m, Last: m, Count: 1, Gap: wire.GapRestarted, Top: id},
		}, []hub.Listener{&l})
		f := h.Join("news", &l)
		go func() { _ = h.Run(t.Context()) }()
		h.Deliver(engine.Message{Channel: "news", Epoch: "new", Entry: m})
		synctest.Wait()
		b, place := f.Take()
		if b.First == nil || b.First.Kind != chanlog.Gap || b.First.Next() != m || place != id {
			t.Errorf("at %v there is %+v, want a gap and the message", place, b.First)
		}
	})
}

// TestHub_ASuspicionSparesTheNodesOwnChannels has an engine doubt all that it
// delivered, which is nothing of who comes and goes.
func TestHub_ASuspicionSparesTheNodesOwnChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ear
		h := hub.New()
		h.Use(&elsewhere{page: engine.Page{Gap: wire.GapRestarted, Top: wire.ID{Epoch: "e", Seq: 1}}}, []hub.Listener{&l})
		f := h.Join(hub.PresenceOf("news"), &l)
		go func() { _ = h.Run(t.Context()) }()
		h.Suspect(nil)
		synctest.Wait()
		if b, _ := f.Take(); b.First != nil {
			t.Errorf("told %s", b.First.JSON())
		}
	})
}
