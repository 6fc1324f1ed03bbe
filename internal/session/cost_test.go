package session_test

import (
	"fmt"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// crowded is a presence of more members than an answer has.
type crowded struct{ session.Presence }

func (crowded) Covers(string) bool               { return true }
func (crowded) Join(string, string, session.ID)  {}
func (crowded) Leave(string, string, session.ID) {}

func (crowded) Members(string, int) ([]wire.Member, int) { return nil, 100_000 }

// TestAllowance_AnswersThatAreALotOfWorkCostMore asks as often as fits into
// one moment. With 20 frames at once, it may be answered that often only where
// an answer is little work; and it must never be cut off for one question.
func TestAllowance_AnswersThatAreALotOfWorkCostMore(t *testing.T) {
	w := begin(t)
	w.policy.Presence = crowded{}
	for i := range 10 {
		_, _ = w.hub.Publish(t.Context(), wire.Publication{Channel: "long", Data: []byte(`"` + strings.Repeat("x", 7<<10) + `"`)})
		_, _ = w.hub.Publish(t.Context(), wire.Publication{Channel: "short", Data: fmt.Append(nil, i)})
	}
	for text, want := range map[string]int{
		`{"type":"history","channel":"short"}`: 20,
		`{"type":"history","channel":"long"}`:  3,
		`{"type":"presence","channel":"long"}`: 2,
	} {
		w.now = w.now.Add(1e9 * 60)
		answered := 0
		for range 20 {
			w.sent = nil
			if err := w.frame(ws.Text, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !strings.Contains(strings.Join(w.sent, ""), `"error"`) {
				answered++
			}
		}
		if answered != want {
			t.Errorf("%s was answered %d times at once, want %d", text, answered, want)
		}
	}
}
