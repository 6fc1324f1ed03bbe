package transport

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestGate_LetsNobodySlipPast stops admitting while many come and go.
func TestGate_LetsNobodySlipPast(t *testing.T) {
	for range 200 {
		var g Gate
		g.init(Limits{MaxSessions: 1 << 20, MaxConnectRate: 1 << 20})
		var wg sync.WaitGroup
		stopped := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				for g.enter(time.Now()) == nil {
					g.leave()
				}
				select {
				case <-stopped:
				default:
					<-stopped // refused a moment before StopAdmitting returned
				}
				if g.enter(time.Now()) == nil {
					t.Error("a session was let in after StopAdmitting")
				}
			})
		}
		open := g.StopAdmitting()
		if open < 0 || open > 8 {
			t.Errorf("%d open", open)
		}
		close(stopped)
		wg.Wait()
		<-g.Empty()
	}
}

func TestGate_RefusesWhatIsOverItsBounds(t *testing.T) {
	var g Gate
	g.init(Limits{MaxSessions: 3, MaxConnectRate: 2})
	now := time.Unix(100, 0)
	for i, want := range []string{"", "", "in one second"} {
		if err := g.enter(now); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("newcomer %d: %v, want %q", i, err, want)
		}
	}
	now = now.Add(time.Second)
	if err := g.enter(now); err != nil {
		t.Errorf("the next second: %v", err)
	}
	if err := g.enter(now); err == nil || !strings.Contains(err.Error(), "as many as it may") {
		t.Errorf("a fourth session: %v", err)
	}
	g.leave()
	if err := g.enter(now); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

func TestServer_LeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("serve", func(t *testing.T) {
		carriers(t, func(t *testing.T, secure bool) {
			n := start(t, secure, nil)
			for range 20 {
				c := n.dial(t, "?channels=a", nil)
				_ = c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"ping"}`))
			}
		})
	})
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if now := runtime.NumGoroutine(); now > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, now, buf[:runtime.Stack(buf, true)])
	}
}
