package loadgen

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Report is what [Bench] found. Figures about the server's process are absent
// (zero) when its number is not known.
type Report struct {
	URL     string `json:"url"`
	Clients int    `json:"clients"`
	Stalled int    `json:"stalled,omitempty"`
	PID     int    `json:"pid,omitempty"`
	Stopped bool   `json:"stopped,omitempty"` // ended early, on request

	Connected       int     `json:"connected"`
	Failed          int     `json:"failed"`  // never got ready
	Refused         int     `json:"refused"` // upgrades answered by 429 or 503, tried again
	ConnectsPerS    float64 `json:"connects_per_s"`
	CPUPerConnect   float64 `json:"cpu_us_per_connect,omitempty"`
	BytesPerClient  float64 `json:"bytes_per_client,omitempty"`
	Channels        int     `json:"channels"`
	BytesPerChannel float64 `json:"bytes_per_channel,omitempty"`

	Published     uint64  `json:"published"`
	PublishedPerS float64 `json:"published_per_s"`
	Delivered     uint64  `json:"delivered"`
	DeliveredPerS float64 `json:"delivered_per_s"`
	CPUPerMessage float64 `json:"cpu_us_per_delivery,omitempty"` // per publication when there is no client
	Latency       Latency `json:"latency"`

	Lost         uint64 `json:"lost"`
	Repeated     uint64 `json:"repeated"`
	OutOfOrder   uint64 `json:"out_of_order"`
	Disconnected int    `json:"disconnected"` // by the server, once ready

	Faults map[string]int `json:"faults,omitempty"` // what went wrong, and how often
}

// Clean reports whether every message reached every client that read, once and
// in order.
func (r *Report) Clean() bool { return r.Lost == 0 && r.Repeated == 0 && r.OutOfOrder == 0 }

// WriteTable writes the report for a reader, one figure a line.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, format string, args ...any) { fmt.Fprintf(t, what+"\t"+format+"\n", args...) }
	if r.Clients > 0 {
		row("clients", "%d connected, %d failed, %d refused and tried again", r.Connected, r.Failed, r.Refused)
		row("connects", "%s/s", round(r.ConnectsPerS))
	}
	known := func(what, format string, v float64) {
		if v != 0 {
			row(what, format, v)
		}
	}
	known("server CPU per connect", "%.1f µs", r.CPUPerConnect)
	known("memory per idle client", "%.0f bytes", r.BytesPerClient)
	known("memory per channel", "%.0f bytes", r.BytesPerChannel)
	row("published", "%d (%s/s)", r.Published, round(r.PublishedPerS))
	if r.Clients > 0 {
		row("delivered", "%d (%s/s)", r.Delivered, round(r.DeliveredPerS))
		known("server CPU per delivery", "%.3f µs", r.CPUPerMessage)
		row("latency", "p50 %s, p99 %s, max %s", duration(r.Latency.P50), duration(r.Latency.P99), duration(r.Latency.Max))
		row("lost", "%d", r.Lost)
		row("repeated", "%d", r.Repeated)
		row("out of order", "%d", r.OutOfOrder)
		row("closed by the server", "%d", r.Disconnected)
	} else {
		known("server CPU per publication", "%.3f µs", r.CPUPerMessage)
	}
	for _, what := range r.faultsByCount() {
		row("fault", "%s (%d times)", what, r.Faults[what])
	}
	if r.PID == 0 {
		row("note", "the server's process is not known: no memory, no CPU (--pid)")
	}
	return t.Flush()
}

func (r *Report) faultsByCount() []string {
	var names []string
	for what := range r.Faults {
		names = append(names, what)
	}
	slices.SortFunc(names, func(a, b string) int { return r.Faults[b] - r.Faults[a] })
	return names
}

// round writes a rate with three digits that count.
func round(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.1f k", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}

func duration(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Microsecond)
}
