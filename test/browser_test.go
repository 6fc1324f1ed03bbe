//go:build linux

package test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// newBrowser opens one of the clients' pages in Chromium and has it connect to
// a URL.
func newBrowser(t *testing.T, page, target string) *stranger {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium")
	}
	st := &stranger{t: t, told: make(chan happening, 100)}
	queue := make(chan string, 10)
	st.send = func(text string) { queue <- text }
	web := httptest.NewServer(st.page(page, queue))
	t.Cleanup(web.Close)

	profile, err := os.MkdirTemp("", "holdfast-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-port=0", "--user-data-dir="+profile,
		web.URL+"/?url="+url.QueryEscape(target))
	var said strings.Builder
	c.Stderr = &said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its helpers can be ended with it
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		_ = os.RemoveAll(profile)
		if t.Failed() {
			t.Logf("the browser said: %s", said.String())
		}
	})
	return st
}

// page serves the page, what it is to send and what it has to tell.
func (st *stranger) page(name string, queue <-chan string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "clients/"+name) })
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case text := <-queue:
			_, _ = io.WriteString(w, text)
		case <-r.Context().Done():
		case <-st.t.Context().Done():
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("POST /event", func(_ http.ResponseWriter, r *http.Request) {
		var h happening
		if json.NewDecoder(r.Body).Decode(&h) == nil {
			st.told <- h
		}
	})
	return mux
}

func TestStranger_Chromium(t *testing.T) {
	t.Parallel()
	s := serve(t, visited...)
	newBrowser(t, "page.html", "ws://"+s.address+"/ws?channels=chat").visit(s)
}

// A page of a site that is not allowed cannot connect, whatever it tries: to
// it, the connection just fails.
func TestStranger_ChromiumOnAForeignPage(t *testing.T) {
	t.Parallel()
	s := serve(t, "--api-key", "0123456789abcdefghij") // loopback pages are foreign then
	st := newBrowser(t, "page.html", "ws://"+s.address+"/ws?channels=chat")
	if h := st.next(); h.Event != "error" {
		t.Fatalf("got %+v, want a failure", h)
	}
	if h := st.next(); h.Event != "close" || h.Code != 1006 {
		t.Errorf("got %+v, want to be closed with 1006", h)
	}
	s.log.wait(t, "origin \"http://127.0.0.1:")
}
