package handover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestHandover_MovesEverything(t *testing.T) {
	for _, sessions := range []int{0, 1, 252, 253, 254, 700} {
		r := newRig(t, sessions)
		out, old, new := r.play()
		if old != nil || new != nil {
			t.Fatalf("%v; %v", old, new)
		}
		r.served(sessions, true)
		if out.Moved != sessions || out.Batches != (sessions+MostDescriptors-1)/MostDescriptors || !out.EngineMoved || out.New.Version != "2.0" {
			t.Errorf("%+v", out)
		}
		if !bytes.Equal(r.nw.history.Bytes(), r.ow.history) {
			t.Errorf("%d bytes of history came, %d were sent", r.nw.history.Len(), len(r.ow.history))
		}
		if l := r.nw.listeners; len(l) != 2 || l[0].Name != "http" || l[1].Name != "debug" {
			t.Errorf("listeners: %+v", l)
		}
		for i, state := range r.nw.states {
			if want := fmt.Sprint("session ", r.ow.moved[i]); !strings.HasPrefix(state, want) {
				t.Fatalf("session %d is %q, want %q", i, state, want)
			}
			if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(r.nw.fds[i]), syscall.F_GETFD, 0); errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
				t.Fatalf("descriptor %d of a session would go along to other programs: %v", r.nw.fds[i], errno)
			}
		}
	}
}

func TestHandover_SessionsThatAreRefusedStay(t *testing.T) {
	r := newRig(t, 300)
	r.nw.refuse = 5
	out, old, new := r.play()
	if old != nil || new != nil {
		t.Fatalf("%v; %v", old, new)
	}
	r.served(300, true)
	if out.Moved != 290 || out.Refused != 10 {
		t.Errorf("%+v", out)
	}
}

func TestHandover_RefusesBeforeAnythingMoves(t *testing.T) {
	for _, c := range []struct {
		name, want string
		greeting   Greeting
	}{
		{"format", `the new process (version "9") speaks handover format 7, this one 1`, Greeting{Format: 7, Version: "9", Reads: []int{3}, Limit: 1 << 20}},
		{"state", `the new process (version "9") reads state [4], this one writes 3`, Greeting{Format: Format, Version: "9", Reads: []int{4}, Limit: 1 << 20}},
		{"descriptors", `the new process needs 386 descriptors and may have 256: raise its limit (ulimit -n, LimitNOFILE=)`, Greeting{Format: Format, Version: "9", Reads: []int{3}, Open: 20, Limit: 256}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 300)
			var wg sync.WaitGroup
			var new error
			wg.Go(func() {
				p, _ := newSocket(r.ends[1])
				new = r.new.run(t.Context(), p, c.greeting)
			})
			out, old := r.old.Run(t.Context(), r.ends[0])
			wg.Wait()
			if old == nil || !strings.Contains(old.Error(), c.want) || !strings.HasSuffix(old.Error(), "; this process serves on as before") {
				t.Errorf("the old process says: %v", old)
			}
			if new == nil || !strings.Contains(new.Error(), "the old process refuses: "+c.want) {
				t.Errorf("the new process says: %v", new)
			}
			if out.EngineMoved || r.ow.kept+r.ow.followed+r.ow.parked > 0 || len(r.nw.listeners) > 0 {
				t.Errorf("something moved: %+v", out)
			}
		})
	}
}

func TestHandover_AFailureSaysWhichStepAndWhy(t *testing.T) {
	for _, c := range []struct {
		fail, old, new string
		moved          bool
	}{
		{fail: "export", old: "while the history was written: export fails", new: "the old process refuses: export fails"},
		{fail: "greet", old: "greet fails", new: "the old process refuses: greet fails"},
		{fail: "listen", old: "the new process refuses: listen fails", new: "while the listeners were passed: listen fails"},
		{fail: "import", old: "the new process refuses: import fails", new: "import fails"},
		{fail: "park", old: "while sessions were parked: park fails; what has moved", new: "the other process is gone; what has moved", moved: true},
	} {
		t.Run(c.fail, func(t *testing.T) {
			r := newRig(t, 300)
			r.ow.fail, r.nw.fail = c.fail, c.fail
			out, old, new := r.play()
			r.served(300, true)
			if old == nil || !strings.Contains(old.Error(), c.old) {
				t.Errorf("the old process says %v, want %s", old, c.old)
			}
			if new == nil || !strings.Contains(new.Error(), c.new) {
				t.Errorf("the new process says %v, want %s", new, c.new)
			}
			if out.EngineMoved != c.moved {
				t.Errorf("the engine moved: %v", out.EngineMoved)
			}
			if n := len(r.ow.moved); c.moved && n != 253 {
				t.Errorf("%d sessions moved", n)
			}
		})
	}
}

// cutter is a socket that dies before its nth message, of those sent or
// received.
type cutter struct {
	deadliner
	left int
	hang bool // it does not die, it says and hears nothing more
	stop chan struct{}
}

var errCut = errors.New("cut")

func (c *cutter) cut() bool {
	c.left--
	if c.left >= 0 {
		return false
	}
	if c.hang {
		<-c.stop
	}
	c.deadliner.Close()
	return true
}

func (c *cutter) send(m message) error {
	if c.cut() {
		return errCut
	}
	return c.deadliner.send(m)
}

func (c *cutter) receive() (message, error) {
	if c.cut() {
		return message{}, errCut
	}
	return c.deadliner.receive()
}

// TestHandover_EitherMayDieAtAnyMessage cuts the conversation at each message
// that either side says or hears.
func TestHandover_EitherMayDieAtAnyMessage(t *testing.T) {
	const sessions = 600
	for _, dies := range []Side{ByOld, ByNew} {
		for n, more := 0, true; more; n++ {
			t.Run(fmt.Sprint(dies, " at ", n), func(t *testing.T) { more = cutAt(t, dies, n, sessions) })
		}
	}
}

// cutAt plays a handover in which one side dies before its nth message, and
// reports whether it has so many.
func cutAt(t *testing.T, dies Side, n, sessions int) bool {
	r := newRig(t, sessions)
	r.ow.history = r.ow.history[:300_000]
	var ends [2]deadliner
	for i := range ends {
		ends[i], _ = newSocket(r.ends[i])
	}
	c := &cutter{deadliner: ends[dies], left: n}
	ends[dies] = c
	var wg sync.WaitGroup
	var new error
	wg.Go(func() {
		new = r.new.run(t.Context(), ends[1], Greeting{Format: Format, Reads: []int{3}, Limit: 1 << 20})
	})
	out, old := r.old.run(t.Context(), ends[0])
	wg.Wait()
	switch {
	case c.left >= 0:
		if old != nil || new != nil {
			t.Errorf("%v; %v", old, new)
		}
		return false
	case dies == ByNew:
		if old == nil && len(r.ow.moved) < sessions {
			t.Error("the old process notices nothing")
		}
		r.afterDeath(sessions, out)
	default:
		r.orphaned(new)
	}
	if t.Failed() {
		t.Logf("%v; %v", old, new)
	}
	return true
}

// afterDeath expects that an old process whose successor died has all that
// was not taken up.
func (r *rig) afterDeath(total int, out Outcome) {
	r.t.Helper()
	r.served(total, false)
	if len(r.ow.moved) != len(r.nw.fds) {
		r.t.Errorf("%d sessions were let go and %d taken up", len(r.ow.moved), len(r.nw.fds))
	}
	if out.EngineMoved != (r.ow.followed == 1) {
		r.t.Errorf("the outcome says %v of the engine", out.EngineMoved)
	}
}

// orphaned expects that a new process whose predecessor died has the engine
// or knows that it has not, and has said so.
func (r *rig) orphaned(err error) {
	r.t.Helper()
	e, _ := errors.AsType[*Error](err)
	if e == nil && r.nw.owned == 0 || e != nil && (e.Owner == ByNew) != (r.nw.owned == 1) {
		r.t.Errorf("the new process owns %d times and says %v", r.nw.owned, err)
	}
	if len(r.ow.moved) > len(r.nw.fds)+r.nw.refuse {
		r.t.Errorf("%d sessions were let go and %d taken up", len(r.ow.moved), len(r.nw.fds))
	}
}

// TestHandover_ASuccessorThatHangsIsNotWaitedFor has the new process say
// nothing more at each step. It is killed while it has nothing.
func TestHandover_ASuccessorThatHangsIsNotWaitedFor(t *testing.T) {
	const sessions = 10
	for n := range 12 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			r := newRigAlone(t, sessions)
			r.ow.history = r.ow.history[:1000]
			far, _ := newSocket(r.ends[1])
			c := &cutter{deadliner: far, left: n, hang: true, stop: make(chan struct{})}
			var once sync.Once
			var wg sync.WaitGroup
			killed := false
			r.old.Kill = func() error {
				once.Do(func() { killed = true; close(c.stop) })
				wg.Wait()
				return errors.New("killed")
			}
			wg.Go(func() {
				_ = r.new.run(context.Background(), c, Greeting{Format: Format, Reads: []int{3}, Limit: 1 << 20})
			})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			out, err := r.old.Run(ctx, r.ends[0])
			once.Do(func() { close(c.stop) })
			wg.Wait()
			if err == nil && out.Moved < sessions {
				t.Fatal("nothing is noticed")
			}
			if err != nil && killed == out.EngineMoved {
				t.Errorf("killed is %v, the engine moved: %v", killed, out.EngineMoved)
			}
			r.served(sessions, false)
		})
	}
}

// deafOnce hears what is said at a stage only when it asks again.
type deafOnce struct {
	deadliner
	kind Kind
	held *message
}

func (d *deafOnce) receive() (message, error) {
	if m := d.held; m != nil {
		d.held = nil
		return *m, nil
	}
	m, err := d.deadliner.receive()
	if err == nil && m.kind == d.kind {
		d.kind, d.held = 0, &m
		return message{}, os.ErrDeadlineExceeded
	}
	return m, err
}

// TestHandover_AWordThatComesTooLateCounts has the old process wait for too
// little time for the word that the engine, or sessions, are taken up.
func TestHandover_AWordThatComesTooLateCounts(t *testing.T) {
	for _, kind := range []Kind{Owned, Running} {
		r := newRig(t, 300)
		near, _ := newSocket(r.ends[0])
		var wg sync.WaitGroup
		killed := false
		r.old.Kill = func() error { killed = true; return nil }
		wg.Go(func() { _ = r.new.Run(t.Context(), r.ends[1]) })
		out, err := r.old.run(t.Context(), &deafOnce{deadliner: near, kind: kind})
		wg.Wait()
		r.served(300, true)
		if !out.EngineMoved || killed != (kind == Owned) || (err != nil) != (kind == Running) {
			t.Errorf("%v: %+v, killed is %v: %v", kind, out, killed, err)
		}
	}
}
