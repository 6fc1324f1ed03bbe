package handover

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// role says what the test's program does when it is started as a successor.
const role = "HOLDFAST_TEST_ROLE"

func TestMain(m *testing.M) {
	if name := os.Getenv(role); name != "" {
		os.Exit(successor(name))
	}
	os.Exit(m.Run())
}

// successor takes over, and dies or hangs where its role says.
func successor(name string) int {
	conn, err := Inherited()
	if err != nil || conn == nil {
		fmt.Fprintln(os.Stderr, "nothing is inherited:", err)
		return 4
	}
	kind, n := name, 0
	_, _ = fmt.Sscanf(strings.ReplaceAll(name, "-", " "), "%s %d", &kind, &n)
	w := &newWorld{}
	s := &New{Version: "2.0", Reads: []int{3}, Listen: w.listen, Heir: w, Crew: w}
	p, _ := newSocket(conn)
	limit, open, _ := descriptors()
	g := Greeting{Format: Format, Version: "2.0", PID: os.Getpid(), Limit: limit, Open: open, Reads: []int{3}}
	switch kind {
	case "exit":
		fmt.Fprintln(os.Stderr, "this configuration cannot be")
		return 1
	case "hang":
		select {}
	case "die":
		p = &mortal{p, n}
	}
	if err := s.run(context.Background(), p, g); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 5
	}
	return 0
}

// mortal kills its process before the nth message.
type mortal struct {
	deadliner
	left int
}

func (m *mortal) die() {
	if m.left--; m.left < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (m *mortal) send(s message) error {
	m.die()
	return m.deadliner.send(s)
}

func (m *mortal) receive() (message, error) {
	m.die()
	return m.deadliner.receive()
}

// start starts this program as a successor in a role.
func start(t *testing.T, r *rig, name string) (*Child, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	child, err := Start(Command{Args: []string{"-test.run=none"}, Env: []string{role + "=" + name}, Stderr: &said})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Kill() })
	r.old.Kill = child.Kill
	return child, &said
}

func TestStart_HandsOverToAnotherProcess(t *testing.T) {
	r := newRig(t, 600)
	child, said := start(t, r, "good")
	out, err := r.old.Run(t.Context(), child.Conn)
	if err != nil {
		t.Fatal(err, said)
	}
	<-child.Done()
	if out.Moved != 600 || out.New.PID != child.PID || r.ow.followed != 1 || child.Err() == nil || !strings.HasSuffix(child.Err().Error(), "exit status 0") {
		t.Errorf("%+v, %v, %s", out, child.Err(), said)
	}
}

func TestStart_ASuccessorThatExitsIsReaped(t *testing.T) {
	r := newRig(t, 10)
	child, said := start(t, r, "exit")
	out, err := r.old.Run(t.Context(), child.Conn)
	want := fmt.Sprintf("the handover ended while the new process got ready: the other process is gone (process %d ended with exit status 1); this process serves on as before", child.PID)
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if out.EngineMoved || said.String() != "this configuration cannot be\n" {
		t.Errorf("%+v; %s", out, said)
	}
}

func TestStart_ASuccessorThatHangsIsKilled(t *testing.T) {
	r := newRig(t, 10)
	child, _ := start(t, r, "hang")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := r.old.Run(ctx, child.Conn); err == nil || !strings.Contains(err.Error(), "it took too long") {
		t.Error(err)
	}
	<-child.Done()
	if err := syscall.Kill(child.PID, 0); err != syscall.ESRCH {
		t.Errorf("process %d is still there: %v", child.PID, err)
	}
}

// TestStart_ASuccessorMayBeKilledAtAnyMessage has it kill itself.
func TestStart_ASuccessorMayBeKilledAtAnyMessage(t *testing.T) {
	for n, more := 0, true; more; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t, 300)
			r.ow.history = r.ow.history[:1000]
			child, said := start(t, r, fmt.Sprint("die-", n))
			out, err := r.old.Run(t.Context(), child.Conn)
			<-child.Done()
			if more = strings.HasSuffix(child.Err().Error(), "signal: killed"); !more && (err != nil || out.Moved != 300) {
				t.Error(out, err, said)
			}
			r.served(300, false)
			if out.EngineMoved != (r.ow.followed == 1) {
				t.Errorf("%+v, followed %d", out, r.ow.followed)
			}
		})
	}
}

// TestStart_NothingElseGoesAlong counts what a child has.
func TestStart_NothingElseGoesAlong(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	open, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	t.Setenv(variable, "77")
	const script = "ls /proc/$$/fd; echo $" + variable
	plain, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	child, err := Start(Command{Path: "/bin/sh", Args: []string{"-c", script}, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Conn.Close()
	<-child.Done()
	want := strings.Fields(string(plain)) // what this process was itself given, too
	want[len(want)-1] = "3"
	want = append(want, "3")
	got := strings.Fields(out.String())
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the child has %v, want %v", got, want)
	}
}

func TestInherited_TakesNoSocketOfAStranger(t *testing.T) {
	for _, text := range []string{"x", "1", "99"} {
		t.Setenv(variable, text)
		if conn, err := Inherited(); err == nil || conn != nil {
			t.Errorf("%s: %v", text, err)
		}
		if os.Getenv(variable) != "" {
			t.Error("the variable goes on to children")
		}
	}
	conn, far, err := socketPair() // made by this process, not by its parent
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer syscall.Close(far)
	t.Setenv(variable, fmt.Sprint(far))
	if _, err := Inherited(); err == nil || !strings.Contains(err.Error(), "which did not start this one") {
		t.Error(err)
	}
}

func TestCheckProgram_RefusesWhatOthersMayChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bin")
	program, link := filepath.Join(dir, "holdfast"), filepath.Join(t.TempDir(), "link")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	mode := func(path string, m os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	mode(dir, 0o755)
	check := func(path, want string) {
		t.Helper()
		err := CheckProgram(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	check(program, "")
	check(link, "")
	for _, m := range []os.FileMode{0o775, 0o757} {
		mode(program, m)
		check(program, "others may write to "+program)
		mode(program, 0o755)
		mode(dir, m)
		check(program, "others may write to "+dir)
		check(link, "others may write to "+dir)
		mode(dir, m|os.ModeSticky)
		check(program, "others may write to "+dir)
		mode(dir, 0o755)
		mode(filepath.Dir(dir), m)
		check(program, "others may write to "+filepath.Dir(dir))
		mode(filepath.Dir(dir), 0o755)
		mode(filepath.Dir(link), m)
		check(link, "others may write to "+filepath.Dir(link))
		mode(filepath.Dir(link), 0o755)
	}
	check(dir, "is no program")
	check(filepath.Join(dir, "none"), "there is no program")
	if os.Geteuid() == 0 {
		if err := os.Chown(program, 1234, -1); err != nil {
			t.Fatal(err)
		}
		check(program, "belongs to user 1234")
	}
}

// TestSocket_NoticesLostDescriptors lowers the limit of this process.
func TestSocket_NoticesLostDescriptors(t *testing.T) {
	r := newRigAlone(t, 0)
	far, _ := newSocket(r.ends[1])
	near, _ := newSocket(r.ends[0])
	before := openDescriptors(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(before + 5)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) }()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := near.send(message{kind: Batch, fds: make([]int, 100)}); err != nil {
			t.Error(err)
		}
	})
	_, err := far.receive()
	wg.Wait()
	far.Close()
	if n := openDescriptors(t); n != before-1 {
		t.Errorf("%d descriptors are open, %d were before the socket was closed", n, before)
	}
	if err == nil || !strings.Contains(err.Error(), "descriptors were lost on the way") {
		t.Error(err)
	}
}
