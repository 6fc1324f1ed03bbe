//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFolder_IsForNobodyElseWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o777} {
		dir := filepath.Join(folder(t), "a", "journal")
		if umask != 0 {
			if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		before := syscall.Umask(umask)
		e, err := Open(Config{Dir: dir}, nobody{})
		syscall.Umask(before)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]os.FileMode{".": 0o700 | os.ModeDir, fileName: 0o600, lockName: 0o600} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != want {
				t.Errorf("umask %o: %s has mode %v, not %v", umask, name, info.Mode(), want)
			}
		}
	}
}

func TestFolder_ThatOthersMayWriteIsRefused(t *testing.T) {
	dir := folder(t)
	refused := func(words ...string) {
		t.Helper()
		e, err := Open(Config{Dir: dir}, nobody{})
		if err == nil {
			_ = e.Close()
			t.Fatalf("it was opened; expected %q", words)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, Config{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o770, 0o702, 0o777} {
		chmod(".", mode)
		refused("others may write "+dir, "chmod 700 "+dir)
	}
	chmod(".", 0o755)
	chmod(fileName, 0o660)
	refused("others may write "+filepath.Join(dir, fileName), "chmod 600")
	chmod(fileName, 0o600)
	chmod(lockName, 0o606)
	refused(lockName)
	chmod(lockName, 0o600)
	if err := os.Rename(filepath.Join(dir, fileName), filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	refused("is no ordinary file")
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		refused("belongs to user 12345")
	}
}

func TestFolder_ThatIsAFileOrOutOfReachIsRefused(t *testing.T) {
	file := filepath.Join(folder(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(Config{Dir: dir}, nobody{}); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestFolder_IsRefusedToASecondProcess(t *testing.T) {
	dir := folder(t)
	e := open(t, Config{Dir: dir})
	// This process may not open it twice either.
	_, err := Open(Config{Dir: dir}, nobody{})
	if use, ok := errors.AsType[*UseError](err); !ok || use.PID != os.Getpid() || use.Dir != dir {
		t.Fatalf("a second engine: %v", err)
	}
	want := fmt.Sprintf("%s is in use by process %d", dir, os.Getpid())
	run := func() string {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"=peek "+dir)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := run(); !strings.Contains(out, want) {
		t.Errorf("a second process says %q, not %q", out, want)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if out := run(); out != "opened\n" {
		t.Errorf("after the first has closed it, another says %q", out)
	}
}
