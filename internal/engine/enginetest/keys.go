package enginetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

var keys = []test{
	{name: "ARepeatedKeyIsAnsweredAsTheFirst", setup: Setup{Rules: hundred}, run: repeats},
	{name: "KeysAreForgottenAfterTwoMinutes", setup: Setup{Rules: hundred}, slow: true, run: oldKeys},
	{name: "ConcurrentRepeatsPublishOnce", setup: Setup{Rules: hundred}, run: racingRepeats},
	{name: "TooManyKeysAreRefused", setup: Setup{Rules: hundred, MaxKeys: 50}, slow: true, run: manyKeys},
}

func repeats(r *rig) {
	r.listen("a")
	r.listen("b0")
	first := r.try(wire.Publication{Channel: "a", Key: "k1", Data: []byte(`1`)})
	for i := range 200 {
		other := r.try(wire.Publication{Channel: fmt.Sprint("b", i), Key: "k1", Data: []byte(`2`)})
		if first.Duplicate || other.Duplicate {
			r.Fatal("a key is taken for one of another channel")
		}
	}
	r.publish("a", `3`)
	for range 3 {
		again := r.try(wire.Publication{Channel: "a", Key: "k1", Data: []byte(`4`)})
		if !again.Duplicate || again.ID != first.ID || !again.Time.Equal(first.Time) {
			r.Fatalf("a repeat of %+v is answered %+v", first, again)
		}
	}
	if ack := r.try(wire.Publication{Channel: "a", Key: "k2", Data: []byte(`5`)}); ack.Duplicate {
		r.Fatal("another key is called a repeat")
	}
	r.delivered("a")
	r.delivered("b0")
}

// oldKeys repeats a key within two minutes and behind them.
func oldKeys(r *rig) {
	p := wire.Publication{Channel: "a", Key: "k", Data: []byte(`1`)}
	first := r.try(p)
	time.Sleep(119 * time.Second)
	if again := r.try(p); !again.Duplicate || again.ID != first.ID {
		r.Fatalf("after 119 s %+v is answered %+v", first, again)
	}
	time.Sleep(2 * time.Second)
	next := r.try(p)
	if next.Duplicate || next.ID == first.ID {
		r.Fatalf("after 121 s %+v is answered %+v", first, next)
	}
	if again := r.try(p); !again.Duplicate || again.ID != next.ID {
		r.Fatalf("%+v is answered %+v", next, again)
	}
}

// racingRepeats has several publish the same key at once.
func racingRepeats(r *rig) {
	const racers, rounds = 8, 100
	r.listen("a")
	for round := range rounds {
		p := wire.Publication{Channel: "a", Key: fmt.Sprint("k", round), Data: fmt.Append(nil, round)}
		acks := make([]engine.Ack, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				ack, err := r.engine.Publish(r.Context(), p)
				if err != nil {
					r.Errorf("publish: %v", r.fault(err))
				}
				acks[i] = ack
			})
		}
		wg.Wait()
		firsts := 0
		for _, ack := range acks {
			if ack.ID != acks[0].ID {
				r.Fatalf("repeats are answered %v and %v", acks[0].ID, ack.ID)
			}
			if !ack.Duplicate {
				firsts++
			}
		}
		if got := r.sink.of("a"); firsts != 1 || len(got) != round+1 {
			r.Fatalf("round %d: %d were first, %d messages are delivered", round, firsts, len(got))
		}
	}
}

// manyKeys uses more keys than are remembered.
func manyKeys(r *rig) {
	var refusal *wire.Error
	taken := 0
	for ; taken < 1000 && refusal == nil; taken++ {
		channel := fmt.Sprint("c", taken%7)
		_, err := r.engine.Publish(r.Context(), wire.Publication{Channel: channel, Key: fmt.Sprint(taken), Data: []byte(`1`)})
		if errors.As(r.fault(err), &refusal) {
			if refusal.Code != wire.Overloaded {
				r.Fatalf("refused with %s: %v", refusal.Code, err)
			}
			break
		}
	}
	if taken != 50 {
		r.Fatalf("%d keys were taken, the bound is 50", taken)
	}
	r.publish("c1", `2`)
	if ack := r.try(wire.Publication{Channel: "c0", Key: "0", Data: []byte(`1`)}); !ack.Duplicate {
		r.Error("a repeat is published while there is no room for keys")
	}
	time.Sleep(3 * time.Minute)
	r.try(wire.Publication{Channel: "c1", Key: "new", Data: []byte(`3`)})
}
