package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// watching is one run of the status command.
type watching struct {
	*app
	watch bool
	drawn int // lines on the terminal to draw over
}

// serverStatus is what GET /v1/status tells.
type serverStatus struct {
	Version   string   `json:"version"`
	PID       int      `json:"pid"`
	Uptime    float64  `json:"uptime_s"`
	Sessions  int64    `json:"sessions"`
	Channels  int64    `json:"channels"`
	Published *float64 `json:"published_per_s"`
	Delivered *float64 `json:"delivered_per_s"`
	Memory    int64    `json:"memory_bytes"`
	Drain     struct {
		State     string   `json:"state"`
		Remaining int64    `json:"remaining"`
		Of        int64    `json:"of"`
		Left      *float64 `json:"left_s"`
	} `json:"drain"`
}

func newStatus(a *app) *cobra.Command {
	w := &watching{app: a}
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how the server is doing",
		Example: `  holdfast status
  holdfast status --watch
  holdfast status --json | jq .sessions`,
		Args: arguments(0, 0, "flags only"),
	}
	c.Flags().BoolVar(&w.watch, "watch", false, "show it anew every second; in a pipe, a line of JSON")
	return a.client(c, w.run)
}

func (w *watching) run(ctx context.Context, api *api, _ []string) error {
	if !w.watch {
		return w.show(ctx, api)
	}
	if !w.OutTerminal {
		w.common.json = true
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := w.show(ctx, api); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (w *watching) show(ctx context.Context, api *api) error {
	var raw json.RawMessage
	if err := api.call(ctx, http.MethodGet, "/v1/status", nil, nil, nil, &raw); err != nil {
		return err
	}
	var s serverStatus
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("%s did not answer as holdfast does: %w", api.base, err)
	}
	if w.common.json {
		return w.printf("%s\n", strings.TrimSpace(string(raw)))
	}
	lines := s.lines(api.base.String())
	if w.drawn > 0 {
		w.printf("\x1b[%dA\x1b[J", w.drawn)
	}
	if w.watch {
		w.drawn = len(lines)
	}
	return w.printf("%s\n", strings.Join(lines, "\n"))
}

// lines returns the status for people.
func (s *serverStatus) lines(base string) []string {
	seconds := func(v float64) string { return span(time.Duration(v * float64(time.Second))) }
	lines := []string{
		fmt.Sprintf("holdfast %s at %s", plainLine(s.Version), base),
		fmt.Sprintf("  up          %s, pid %d", seconds(s.Uptime), s.PID),
		"  sessions    " + grouped(s.Sessions),
		"  channels    " + grouped(s.Channels),
	}
	if s.Published != nil {
		lines = append(lines, fmt.Sprintf("  published   %.1f/s", *s.Published))
	}
	if s.Delivered != nil {
		lines = append(lines, fmt.Sprintf("  delivered   %.1f/s", *s.Delivered))
	}
	lines = append(lines, fmt.Sprintf("  memory      %.1f MiB", float64(s.Memory)/(1<<20)))
	state := "  state       " + plainLine(s.Drain.State)
	if s.Drain.State != "" && s.Drain.State != "serving" {
		state += fmt.Sprintf(": %s of %s left", grouped(s.Drain.Remaining), grouped(s.Drain.Of))
		if s.Drain.Left != nil {
			state += ", " + seconds(*s.Drain.Left) + " until forced shutdown"
		}
	}
	return append(lines, state)
}
