package transport

import (
	"context"
	"testing"

	"holdfast.dev/holdfast/internal/session"
)

// TestDisconnectToken_EndsAllWhoAreHereByIt has one token in use twice: what
// is refused from now on must not go on where it was let in before.
func TestDisconnectToken_EndsAllWhoAreHereByIt(t *testing.T) {
	b := newBench(t, 5, nil)
	for i, g := range []*session.Grant{{Token: "a", User: "ann"}, {Token: "b", User: "ann"}, {Token: "a", User: "ann"}, {}, nil} {
		b.table.at(int32(i)).session.Grant = g
	}
	s := &Server{loops: []*Loop{b.Loop}}
	disconnect := func(token string) (n int) {
		done := make(chan struct{})
		go func() {
			n = s.DisconnectToken(context.Background(), token, session.Revoked)
			close(done)
		}()
		for {
			select {
			case <-done:
				return n
			default:
				b.runJobs()
			}
		}
	}
	if n := disconnect("a"); n != 2 {
		t.Errorf("%d sessions were ended, want 2", n)
	}
	if n := disconnect(""); n != 0 {
		t.Errorf("%d sessions without a token were ended", n)
	}
	for i, want := range []state{closing, open, closing, open, open} {
		if got := b.table.at(int32(i)).state; (got == open) != (want == open) {
			t.Errorf("session %d is in state %d", i, got)
		}
		b.table.at(int32(i)).session.Grant = nil
	}
}
