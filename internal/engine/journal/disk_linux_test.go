package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/wire"
)

// disk mounts a file system of its own for a test, which only root can.
func disk(t *testing.T, source, kind, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", kind, "-o", options, source, dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	return dir
}

// fill takes all the room that a disk has left and returns what gives it
// back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// press publishes until a publish is refused, and returns with what.
func press(w *world, e *Engine, data string) *wire.Error {
	w.Helper()
	now := time.Now()
	for i := range 10_000 {
		channel := fmt.Sprint("c", i%9)
		var refusal *wire.Error
		ack, later, err := e.Submit(wire.Publication{Channel: channel, Data: []byte(data)}, func(ack engine.Ack, err error) {
			if err == nil {
				w.note(channel, ack.ID, data)
			} else if !errors.As(err, &refusal) {
				w.Errorf("%T: %v", err, err)
			}
		})
		if err != nil {
			errors.As(err, &refusal)
		} else if !later {
			w.note(channel, ack.ID, data)
		}
		if i%20 == 0 {
			now = now.Add(interval)
			e.step(now)
		}
		if refusal != nil {
			return refusal
		}
	}
	w.Fatal("no publish was refused")
	return nil
}

// TestDisk_ThatIsFullRefusesPublishesAndIsTakenAgain fills a disk, twice, and
// makes room again.
func TestDisk_ThatIsFullRefusesPublishesAndIsTakenAgain(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		t.Run([]string{"async", "sync"}[d], func(t *testing.T) {
			mount := disk(t, "tmpfs", "tmpfs", "size=4m")
			var log bytes.Buffer
			c := Config{Dir: filepath.Join(mount, "journal"), Durability: d, Rules: fifty, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			e := open(t, c)
			w := newWorld(t)
			for range 2 {
				log.Reset()
				free := fill(t, mount)
				refusal := press(w, e, `"`+strings.Repeat("x", 5000)+`"`)
				want := "the journal in " + c.Dir + " cannot be written: no space left on device; publishes are refused until it can, clients stay connected"
				if refusal.Code != wire.Unavailable || refusal.Message != want {
					t.Fatalf("refused with %s: %s", refusal.Code, refusal.Message)
				}
				w.check(e, false) // reading goes on
				for range 3 {
					e.step(time.Now())
					if e.Refusal() == nil {
						t.Fatal("publishes are taken, and the disk is full")
					}
				}
				free()
				e.step(time.Now())
				if r := e.Refusal(); r != nil {
					t.Fatalf("there is room again, and publishes are refused: %v", r)
				}
				w.submit(e, "c1", `"again"`)
				e.step(time.Now().Add(time.Minute))
				if lines := strings.Count(log.String(), "\n"); lines != 2 {
					t.Errorf("%d lines were logged:\n%s", lines, log.String())
				}
				w.check(e, d == Sync)
			}
			if err := e.finish(); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			again := open(t, c)
			if r := again.Report(); r.Lost > 0 || r.Damaged > 0 {
				t.Errorf("after the next start: %+v", r)
			}
			w.check(again, true)
		})
	}
}

// TestDisk_ThatIsFullAtTheStartServesWhatIsThere starts without room.
func TestDisk_ThatIsFullAtTheStartServesWhatIsThere(t *testing.T) {
	mount := disk(t, "tmpfs", "tmpfs", "size=4m")
	c := Config{Dir: filepath.Join(mount, "journal"), Rules: fifty}
	e := open(t, c)
	w := newWorld(t)
	for i := range 400 {
		w.submit(e, fmt.Sprint("c", i%7), fmt.Sprint(i))
		e.step(time.Now())
	}
	if err := e.Close(); err != nil { // not in order
		t.Fatal(err)
	}
	free := fill(t, mount)
	e = open(t, c)
	w.check(e, false)
	free()
	e.step(time.Now())
	if r := e.Refusal(); r != nil {
		t.Fatalf("there is room, and publishes are refused: %v", r)
	}
	w.goesOn(e)
}

// forget has the system forget what only its memory has.
func failing(t *testing.T) (mount string, mend, forget func()) {
	t.Helper()
	behind := disk(t, "tmpfs", "tmpfs", "size=3m")
	image := filepath.Join(behind, "disk")
	if err := exec.CommandContext(t.Context(), "sh", "-c", "truncate -s 64m "+image+" && mkfs.ext4 -q -F -O ^has_journal "+image).Run(); err != nil {
		t.Skipf("a disk that loses what it took cannot be made here: %v", err)
	}
	mount = disk(t, image, "ext4", "loop,errors=continue")
	run := func(line string) func() {
		return func() {
			if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", line, out)
			}
		}
	}
	return mount, run("mount -o remount,size=64m " + behind), run("umount " + mount + " && mount -t ext4 -o loop,errors=continue " + image + " " + mount)
}

// TestDisk_WhoseSyncFailsIsNotBelieved has syncs fail of bytes that the
// system had taken. It shows them as if they were there; the disk has not got
// them.
func TestDisk_WhoseSyncFailsIsNotBelieved(t *testing.T) {
	for _, d := range []Durability{Async, Sync} {
		t.Run([]string{"async", "sync"}[d], func(t *testing.T) {
			mount, mend, forget := failing(t)
			c := Config{Dir: filepath.Join(mount, "journal"), Durability: d, Rules: fifty}
			e := open(t, c)
			w := newWorld(t)
			refusal := press(w, e, `"`+strings.Repeat("x", 5000)+`"`)
			if want := map[Durability]wire.Code{Async: wire.Unavailable, Sync: wire.Uncertain}[d]; refusal.Code != want {
				t.Fatalf("refused with %s: %s", refusal.Code, refusal.Message)
			}
			if !e.store.doubt {
				t.Fatal("the file is believed")
			}
			w.check(e, false)
			mend()
			e.step(time.Now())
			if r := e.Refusal(); r != nil {
				t.Fatalf("the disk is mended, and publishes are refused: %v", r)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			forget()
			again := open(t, c)
			if r := again.Report(); r.Damaged > 0 {
				t.Errorf("after the next start: %+v", r)
			}
			w.check(again, d == Sync)
		})
	}
}

// TestDisk_ThatTurnsReadOnlyRefusesPublishes has the system take the disk
// away from writers, as it does when it finds it damaged.
func TestDisk_ThatTurnsReadOnlyRefusesPublishes(t *testing.T) {
	behind := disk(t, "tmpfs", "tmpfs", "size=24m")
	image := filepath.Join(behind, "disk")
	if err := exec.CommandContext(t.Context(), "sh", "-c", "truncate -s 16m "+image+" && mkfs.ext4 -q -F "+image).Run(); err != nil {
		t.Skipf("a disk cannot be made here: %v", err)
	}
	mount := disk(t, image, "ext4", "loop,errors=remount-ro")
	e := open(t, Config{Dir: filepath.Join(mount, "journal"), Rules: fifty})
	w := newWorld(t)
	w.submit(e, "a", "1")
	e.step(time.Now())
	var st syscall.Stat_t
	if err := syscall.Stat(mount, &st); err != nil {
		t.Fatal(err)
	}
	name, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", st.Dev>>8&0xfff, st.Dev&0xff|st.Dev>>12&0xfff00))
	if err == nil {
		err = os.WriteFile("/sys/fs/ext4/"+filepath.Base(name)+"/trigger_fs_error", []byte("test"), 0o600)
	}
	if err != nil {
		t.Skipf("a disk cannot be made read-only here: %v", err)
	}
	w.submit(e, "a", "2")
	e.step(time.Now())
	refusal := e.Refusal()
	if refusal == nil || !strings.Contains(refusal.Message, "read-only file system") {
		t.Fatalf("publishes are refused with %v", refusal)
	}
	w.check(e, true)
}
