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

	busy    bool            // the hands have an order
	todo    order           // waits until they are free
	empty   <-chan struct{} // the fleet's, once admitting has stopped
	outcome *Outcome
}

func (w *watch) signal(s os.Signal) {
	if kind, ok := kindOf(s); ok {
		w.machine.Signal(time.Now(), kind)
		w.look()
	}
}

// look asks the fleet how many sessions are open, or goes on without news
// when it has not answered yet.
func (w *watch) look() {
	if w.busy {
		w.step(Unknown)
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
	if answer.empty != nil {
		w.empty = answer.empty
	}
	if w.todo.refuse {
		answer.open = Unknown // counted before admitting stopped
	}
	w.step(answer.open)
}

// step steps the machine and has done what it says.
func (w *watch) step(open int) {
	actions := w.machine.Step(time.Now(), open)
	p := w.machine.progressSoFar()
	w.runner.progress.Store(&p)
	w.voice.say(actions.Lines...)
	w.todo.refuse = w.todo.refuse || actions.Refuse
	w.todo.force = w.todo.force || actions.Force
	w.todo.close += actions.Close
	if w.outcome = actions.Outcome; w.outcome != nil {
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

// finish gets the last figures and says the last line.
func (w *watch) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	w.await(ctx)
	if !w.busy {
		w.todo = order{last: true}
		w.send()
		w.outcome.Undelivered = w.await(ctx).undelivered
	}
	w.voice.say(w.outcome.Line())
}

// rest ends voice and hands and waits for them, but for one that hangs.
func (w *watch) rest() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	w.voice.rest(ctx)
	if w.outcome == nil {
		w.await(ctx)
	}
	if close(w.hands.orders); !w.busy {
		<-w.hands.done
	}
}

// await waits until the hands are free, at most as long as ctx, and returns
// their answer.
func (w *watch) await(ctx context.Context) news {
	if w.busy {
		select {
		case answer := <-w.hands.answers:
			w.busy = false
			return answer
		case <-ctx.Done():
		}
	}
	return news{undelivered: Unknown}
}
