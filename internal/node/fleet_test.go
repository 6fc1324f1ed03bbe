package node

import (
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/config"
)

func TestDrainConfig_AnnouncesNothingOnATerminalUnlessAskedTo(t *testing.T) {
	tests := []struct {
		terminal bool
		environ  []string
		want     time.Duration
	}{
		{false, nil, 5 * time.Second},
		{true, nil, 0},
		{true, []string{"HOLDFAST_DRAIN_ANNOUNCE=5s"}, 5 * time.Second},
		{false, []string{"HOLDFAST_DRAIN_ANNOUNCE=0"}, 0},
	}
	for _, tt := range tests {
		loader := config.Loader{Environ: append(tt.environ, "HOLDFAST_DRAIN_INVITE=true", "HOLDFAST_DRAIN_LIMIT=7m", "HOLDFAST_DRAIN_MAX_RATE=99")}
		cfg, _, err := loader.Load()
		if err != nil {
			t.Fatal(err)
		}
		n := &node{cfg: cfg, opts: Options{Terminal: tt.terminal}}
		c := n.drainConfig()
		if c.Announce != tt.want || !c.Invite || c.Limit != 7*time.Minute || c.MaxRate != 99 {
			t.Errorf("%+v: %+v", tt, c)
		}
	}
}
