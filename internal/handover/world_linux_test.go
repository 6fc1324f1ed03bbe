package handover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// oldWorld is everything that an old process has, and what became of it.
type oldWorld struct {
	history []byte
	parked  int
	fail    string // the name of what fails

	sessions []int // descriptors
	moved    []int
	returned int
	kept     int
	followed int
	exported int // how often it was asked for what it knows
	link     net.Conn
}

func (w *oldWorld) failing(name string) error {
	if w.fail == name {
		return errors.New(name + " fails")
	}
	return nil
}

func (w *oldWorld) Export(_ context.Context, out io.Writer) error {
	w.exported++
	_, err := out.Write(w.history)
	return errors.Join(err, w.failing("export"))
}

func (w *oldWorld) Greet(_ context.Context, conn net.Conn) error {
	w.link = conn
	var b [5]byte
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return err
	}
	return w.failing("greet")
}
func (w *oldWorld) Follow() { w.followed++ }
func (w *oldWorld) Keep()   { w.kept++ }

func (w *oldWorld) Sessions() int { return len(w.sessions) }

func (w *oldWorld) Park(_ context.Context, most int) (Parked, error) {
	if err := w.failing("park"); err != nil && w.parked > 0 {
		return nil, err
	}
	if len(w.sessions) == 0 {
		return nil, nil
	}
	n := min(most, len(w.sessions))
	p := &parkedWorld{w: w, fds: w.sessions[:n]}
	w.sessions = w.sessions[n:]
	w.parked += n
	return p, nil
}

type parkedWorld struct {
	w   *oldWorld
	fds []int
}

func (p *parkedWorld) Sessions() (list []Session) {
	for i, fd := range p.fds {
		list = append(list, Session{FD: fd, State: fmt.Append(nil, "session ", fd, strings.Repeat("x", i*7%999))})
	}
	return list
}

func (p *parkedWorld) Moved(refused []Refused) {
	for i, fd := range p.fds {
		if slices.ContainsFunc(refused, func(r Refused) bool { return r.Index == i }) {
			p.w.returned++
			continue
		}
		p.w.moved = append(p.w.moved, fd)
	}
}
func (p *parkedWorld) Return(error) { p.w.returned += len(p.fds) }

// newWorld is what a new process takes.
type newWorld struct {
	fail string

	listeners []Listener
	history   bytes.Buffer
	owned     int
	abandoned int
	states    []string
	fds       []int
	discarded int
	refuse    int // sessions of each batch that are refused
	link      net.Conn
}

func (w *newWorld) failing(name string) error {
	if w.fail == name {
		return errors.New(name + " fails")
	}
	return nil
}

func (w *newWorld) listen(list []Listener) error {
	w.listeners = list
	return w.failing("listen")
}

func (w *newWorld) Import(_ context.Context, r io.Reader, link net.Conn) error {
	w.link = link
	if err := w.failing("import"); err != nil {
		return err
	}
	if _, err := w.history.ReadFrom(r); err != nil {
		return err
	}
	_, err := link.Write([]byte("hello"))
	return err
}
func (w *newWorld) Own()     { w.owned++ }
func (w *newWorld) Abandon() { w.abandoned++; w.link.Close() }

func (w *newWorld) Adopt(_ context.Context, list []Session) (Adoption, []Refused) {
	var refused []Refused
	for i := range min(w.refuse, len(list)) {
		refused = append(refused, Refused{i, "no"})
	}
	return &adoption{w, list[len(refused):]}, refused
}

type adoption struct {
	w    *newWorld
	list []Session
}

func (a *adoption) Go() {
	for _, s := range a.list {
		a.w.states = append(a.w.states, string(s.State))
		a.w.fds = append(a.w.fds, s.FD)
	}
}

func (a *adoption) Discard() {
	a.w.discarded += len(a.list)
	for _, s := range a.list {
		_ = syscall.Close(s.FD)
	}
}

// rig is two processes in one.
type rig struct {
	t    *testing.T
	ow   *oldWorld
	nw   *newWorld
	old  *Old
	new  *New
	ends [2]*net.UnixConn
}

// newRig also expects that no descriptor is left behind.
func newRig(t *testing.T, sessions int) *rig {
	t.Helper()
	before := openDescriptors(t)
	t.Cleanup(func() {
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors are open, %d were before", after, before)
		}
	})
	return newRigAlone(t, sessions)
}

func newRigAlone(t *testing.T, sessions int) *rig {
	t.Helper()
	r := &rig{t: t, ow: &oldWorld{history: bytes.Repeat([]byte("history "), 100_000)}, nw: &newWorld{}}
	t.Cleanup(r.close)
	for range sessions {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		r.ow.sessions = append(r.ow.sessions, fd)
	}
	fds := slices.Clone(r.ow.sessions)
	t.Cleanup(func() {
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
	})
	listener, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	r.old = &Old{Writes: 3, Listeners: []Listener{{"http", int(listener.Fd())}, {"debug", int(listener.Fd())}}, Owner: r.ow, Fleet: r.ow}
	r.new = &New{Version: "2.0", Reads: []int{2, 3}, Listen: r.nw.listen, Heir: r.nw, Crew: r.nw}
	conn, far, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	r.ends[0] = conn.(*net.UnixConn)
	if r.ends[1], err = connection(far); err != nil {
		t.Fatal(err)
	}
	return r
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	_, n, err := descriptors()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *rig) close() {
	for _, c := range r.ends {
		if c != nil {
			c.Close()
		}
	}
	for _, c := range []net.Conn{r.ow.link, r.nw.link} {
		if c != nil {
			c.Close()
		}
	}
	for _, l := range r.nw.listeners {
		_ = syscall.Close(l.FD)
	}
	for _, fd := range r.nw.fds {
		_ = syscall.Close(fd)
	}
}

// play runs both sides and returns what they say.
func (r *rig) play() (out Outcome, old, new error) {
	var wg sync.WaitGroup
	wg.Go(func() { new = r.new.Run(r.t.Context(), r.ends[1]) })
	out, old = r.old.Run(r.t.Context(), r.ends[0])
	wg.Wait()
	return out, old, new
}

// served expects that everything is had by one process: nothing by both,
// nothing by none. newLives is whether the new one is still there.
func (r *rig) served(total int, newLives bool) {
	r.t.Helper()
	if r.ow.followed+r.ow.kept != r.ow.exported || r.nw.owned+r.nw.abandoned > 1 {
		r.t.Errorf("followed %d, kept %d, owned %d, abandoned %d times", r.ow.followed, r.ow.kept, r.nw.owned, r.nw.abandoned)
	}
	if newLives && r.ow.followed != r.nw.owned {
		r.t.Errorf("the old process follows: %d; the new one owns: %d", r.ow.followed, r.nw.owned)
	}
	if r.ow.followed == 0 && r.nw.owned > 0 {
		r.t.Error("both have the engine")
	}
	here := len(r.ow.sessions) + r.ow.returned
	if here+len(r.ow.moved) != total {
		r.t.Errorf("%d sessions are here and %d moved, of %d", here, len(r.ow.moved), total)
	}
	if len(r.nw.fds) > len(r.ow.moved) || newLives && len(r.nw.fds) < len(r.ow.moved) {
		r.t.Errorf("%d sessions were let go, %d taken up", len(r.ow.moved), len(r.nw.fds))
	}
}
