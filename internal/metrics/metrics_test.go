package metrics

import (
	"flag"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

func fixed() Sources {
	count := func(n uint64) func() uint64 { return func() uint64 { return n } }
	return Sources{
		Version:       "1.2.3",
		Sessions:      func() int { return 11 },
		MaxSessions:   func() int { return 23 },
		Refusals:      func() Refusals { return Refusals{Sessions: 24, ConnectRate: 25, PerAddress: 26, PerUser: 27} },
		Accepted:      count(12),
		Listened:      count(28),
		Subscriptions: func() int { return 13 },
		Channels:      func() int { return 14 },
		Published:     count(15),
		Delivered:     count(16),
		SentBytes:     count(17),
		HeldBytes:     func() int64 { return 19 },
		Scheduled:     func() (int64, int64, int64) { return 20, 21, 22 },
		History: func() History {
			return History{Bytes: 28, MaxBytes: 29, Evicted: map[string]uint64{"messages": 30, "age": 31, "bytes": 32, "process": 33},
				Replayed: 34, Skipped: 35, Present: 36, Refusing: true}
		},
		Drain: func() drain.Progress {
			return drain.Progress{State: drain.Waiting, Tally: drain.Tally{Remaining: 18}, ForcedAt: time.Unix(1800000000, 0)}
		},
		Drained: func() Drained { return Drained{Told: 41, Moved: 42, Shed: 43, Forced: 44} },
	}
}

func scrape(t *testing.T, m *Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return strings.Split(w.Body.String(), "\n")
}

// series returns name{labels} of every series of ours. Those of the Go and
// process collectors are the library's.
func series(lines []string) (found []string) {
	for _, line := range lines {
		if name, _, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "holdfast_") && !strings.HasPrefix(line, "holdfast_build_info") {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func TestMetrics_TheSeriesAreThoseOfTheGoldenFile(t *testing.T) {
	got := strings.Join(series(scrape(t, New(fixed()))), "\n") + "\n"
	const golden = "testdata/series.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the series have changed; docs and dashboards name them. Got:\n%s", got)
	}
}

func TestMetrics_EveryNameStandsInTheDocs(t *testing.T) {
	docs, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range scrape(t, New(fixed())) {
		name, ok := strings.CutPrefix(line, "# TYPE holdfast_")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut("holdfast_"+name, " ")
		if !strings.Contains(string(docs), "`"+name+"`") {
			t.Errorf("docs/metrics.md does not explain %s", name)
		}
	}
}

func TestMetrics_SourcesAndCountsAreShown(t *testing.T) {
	m := New(fixed())
	m.CountRefusal(wire.Draining)
	m.CountRefusal("made up")
	m.CountRequestRefusal(wire.TooLarge)
	m.CountRequestRefusal("made up")
	m.CountFrameRefusal(wire.TooManySubs)
	m.CountFrameRefusal("made up")
	m.CountThrottled()
	m.CountClose(wire.CloseTooSlow)
	m.CountClose(wire.CloseTooSlow)
	m.CountClose(CloseLost)
	m.CountClose(3999)
	m.ObservePublish(30 * time.Microsecond)
	lines := scrape(t, m)
	for _, want := range []string{
		`holdfast_sessions 11`,
		`holdfast_sessions_accepted_total{transport="websocket"} 12`,
		`holdfast_sessions_accepted_total{transport="sse"} 28`,
		`holdfast_subscriptions 13`,
		`holdfast_channels 14`,
		`holdfast_messages_published_total 15`,
		`holdfast_messages_delivered_total 16`,
		`holdfast_sent_bytes_total 17`,
		`holdfast_held_bytes 19`,
		`holdfast_scheduled_messages_total{result="failed"} 21`,
		`holdfast_scheduled_messages_total{result="skipped"} 22`,
		`holdfast_sessions_refused_total{reason="draining"} 1`,
		`holdfast_sessions_refused_total{reason="full"} 0`,
		`holdfast_requests_refused_total{reason="too_large"} 1`,
		`holdfast_requests_refused_total{reason="too_many_subscriptions"} 0`,
		`holdfast_frames_refused_total{reason="too_many_subscriptions"} 1`,
		`holdfast_frames_refused_total{reason="too_large"} 0`,
		`holdfast_max_sessions 23`,
		`holdfast_limit_refusals_total{limit="sessions"} 24`,
		`holdfast_limit_refusals_total{limit="connect_rate"} 25`,
		`holdfast_limit_refusals_total{limit="sessions_per_address"} 26`,
		`holdfast_limit_refusals_total{limit="sessions_per_user"} 27`,
		`holdfast_limit_refusals_total{limit="publish_rate"} 1`,
		`holdfast_sessions_closed_total{code="4008"} 2`,
		`holdfast_sessions_closed_total{code="1006"} 1`,
		`holdfast_sessions_closed_total{code="other"} 1`,
		`holdfast_drain_state{state="serving"} 0`,
		`holdfast_drain_state{state="waiting"} 1`,
		`holdfast_drain_remaining_sessions 18`,
		`holdfast_drain_notices_total 41`,
		`holdfast_drain_sessions_total{how="moved"} 42`,
		`holdfast_drain_sessions_total{how="shed"} 43`,
		`holdfast_drain_sessions_total{how="forced"} 44`,
		`holdfast_drain_deadline_timestamp_seconds 1.8e+09`,
		`holdfast_publish_duration_seconds_bucket{le="2e-05"} 0`,
		`holdfast_publish_duration_seconds_bucket{le="5e-05"} 1`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if !slices.ContainsFunc(lines, func(s string) bool {
		return strings.HasPrefix(s, "holdfast_build_info{") && strings.Contains(s, `version="1.2.3"`)
	}) {
		t.Error("holdfast_build_info does not name the version")
	}
}

func BenchmarkObservePublish(b *testing.B) {
	m := New(fixed())
	b.ReportAllocs()
	for b.Loop() {
		m.ObservePublish(7 * time.Microsecond)
	}
}
