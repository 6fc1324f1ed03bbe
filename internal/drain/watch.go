package drain

import (
	"context"
	"os"
	"time"
)

// watch is one run of a Runner. All of it is touched by Run's goroutine
// alone, which never calls the fleet or the log itself.
type watch struct {
	// Static after construction.
	runner  *Runner
	machine *Machine
	hands   *hands
	voice   *voice
	timer   *time.Timer

	busy  bool            // the hands have an order
	todo  order           // waits until they are free
	empty <-chan struct{} // the fleet's, while admitting has stopped
	over  bool
}

func (w *watch) signal(s os.Signal) {
	if kind, ok := kindOf(s); ok {
		w.machine.Signal(time.Now(), kind)
		w.look()
	}
}

// call carries out a call. Whoever asks for the progress after its answer
// finds the change there.
func (w *watch) call(c call) {
	err := c.do(w.machine, time.Now())
	w.show()
	c.answer <- err
	if err == nil {
		w.look()
	}
}

// look asks the fleet how many sessions are open, or goes on without news
// when it has not answered yet.
func (w *watch) look() {
	if w.busy {
		w.step()
		return
	}
	w.send()
	w.timer.Reset(answerWithin)
}

// send gives the hands what is to be done.
func (w *watch) send() {
	w.hands.orders <- w.todo // has room: they are free
	w.busy, w.todo = true, order{}
}

// hear takes the hands' answer.
func (w *watch) hear(answer news) {
	w.busy = false
	if answer.empty != nil && w.todo.admit != Resume {
		w.empty = answer.empty
	}
	w.machine.News(answer.census)
	w.step()
}

// step steps the machine and has done what it says.
func (w *watch) step() {
	actions := w.machine.Step(time.Now())
	w.show()
	w.voice.say(actions.Lines...)
	if w.todo.add(actions); actions.Admit == Resume {
		w.empty = nil
	}
	if w.over = actions.Over; w.over {
		return
	}
	if !w.busy && !w.todo.empty() {
		w.send()
	}
	if actions.Wake.IsZero() {
		w.timer.Stop()
		return
	}
	w.timer.Reset(time.Until(actions.Wake))
}

// show lets others see how the drain stands.
func (w *watch) show() { w.runner.latest.Store(w.machine.snapshot()) }

// finish gets the last figures and says the last line.
func (w *watch) finish() Outcome {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	undelivered := Unknown
	w.await(ctx)
	if !w.busy {
		w.todo = order{last: true}
		w.send()
		if answer, ok := w.await(ctx); ok {
			w.machine.News(answer.census)
			w.show()
			undelivered = answer.undelivered
		}
	}
	outcome := w.machine.Outcome()
	outcome.Undelivered = undelivered
	w.voice.say(outcome.Line())
	return outcome
}

// rest ends voice and hands and waits for them, but for one that hangs.
func (w *watch) rest() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	w.voice.rest(ctx)
	if !w.over {
		w.await(ctx)
	}
	if close(w.hands.orders); !w.busy {
		<-w.hands.done
	}
}

// await waits until the hands are free, at most as long as ctx, and returns
// their answer, if there is one.
func (w *watch) await(ctx context.Context) (answer news, ok bool) {
	if !w.busy {
		return news{}, false
	}
	select {
	case answer := <-w.hands.answers:
		w.busy = false
		return answer, true
	case <-ctx.Done():
		return news{}, false
	}
}
