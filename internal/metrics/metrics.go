package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/wire"
)

// closeCodes are the ends of sessions that are told apart. Whatever else a
// client makes up is counted as "other".
var closeCodes = []wire.CloseCode{
	wire.CloseNormal, CloseGoingAway, wire.CloseProtocol, wire.CloseBinary, CloseLost, wire.CloseBadUTF8,
	wire.ClosePolicy, wire.CloseTooBig, wire.CloseInternal, wire.CloseRestart, wire.CloseOverloaded,
	wire.CloseToken, wire.CloseTooSlow, wire.CloseByOperator,
}

// Ends of sessions that the server itself never sends (RFC 6455, section
// 7.4.1).
const (
	CloseGoingAway wire.CloseCode = 1001 // the client went, as a page that is left does
	CloseLost      wire.CloseCode = 1006 // the connection ended without a close frame
)

// latencyBuckets bound the publish latencies that are told apart, in seconds.
var latencyBuckets = []float64{2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 1, 5}

// Metrics is one server's metrics. Its methods may be called from any
// goroutine.
type Metrics struct {
	// Static after New.
	registry  *prometheus.Registry
	refused   map[wire.Code]*atomic.Uint64 // clients
	requests  map[wire.Code]*atomic.Uint64 // refused
	frames    map[wire.Code]*atomic.Uint64 // refused
	closed    map[wire.CloseCode]*atomic.Uint64
	other     atomic.Uint64 // ends with a code that is none of closed
	throttled atomic.Uint64 // messages over the rate of their publisher
	latency   prometheus.Histogram
}

// New returns the metrics of the server that s reads from.
func New(s Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		closed:   make(map[wire.CloseCode]*atomic.Uint64),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "holdfast_publish_duration_seconds",
			Help:    "Time from a message being read to its acknowledgement.",
			Buckets: latencyBuckets,
		}),
	}
	m.registry.MustRegister(
		m.latency,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.refused = m.byCode("holdfast_sessions_refused_total", "Clients refused before they became a session, by the code they were answered.")
	m.requests = m.byCode("holdfast_requests_refused_total", "HTTP requests, and messages among many, that were answered with an error, by its code.")
	m.frames = m.byCode("holdfast_frames_refused_total", "Frames of clients that were answered with an error, by its code.")
	m.sessions(s)
	m.limits(s)
	m.messages(s)
	m.history(s.History)
	m.drain(s.Drain)
	m.drained(s.Drained)
	labels := prometheus.Labels{"version": s.Version, "goversion": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH}
	m.gauge("holdfast_build_info", "Always 1; the labels say what is running.", labels, func() float64 { return 1 })
	return m
}

func (m *Metrics) sessions(s Sources) {
	m.gauge("holdfast_sessions", "Sessions open now.", nil, func() float64 { return float64(s.Sessions()) })
	const opened = "Sessions opened, by what carries them."
	m.counter("holdfast_sessions_accepted_total", opened, prometheus.Labels{"transport": "websocket"}, s.Accepted)
	m.counter("holdfast_sessions_accepted_total", opened, prometheus.Labels{"transport": "sse"}, s.Listened)
	const ended = "Sessions ended, by WebSocket close code; 1006 is a connection lost without one, 4008 a client that fell too far behind."
	for _, code := range closeCodes {
		n := new(atomic.Uint64)
		m.closed[code] = n
		m.counter("holdfast_sessions_closed_total", ended, prometheus.Labels{"code": strconv.Itoa(int(code))}, n.Load)
	}
	m.counter("holdfast_sessions_closed_total", ended, prometheus.Labels{"code": "other"}, m.other.Load)
}

// byCode registers a counter for each code of the catalogue.
func (m *Metrics) byCode(name, help string) map[wire.Code]*atomic.Uint64 {
	counters := make(map[wire.Code]*atomic.Uint64)
	for _, code := range wire.Codes() {
		n := new(atomic.Uint64)
		counters[code] = n
		m.counter(name, help, prometheus.Labels{"reason": string(code)}, n.Load)
	}
	return counters
}

func (m *Metrics) limits(s Sources) {
	m.gauge("holdfast_max_sessions", "Sessions that may be open at once.", nil, func() float64 { return float64(s.MaxSessions()) })
	for limit, read := range map[string]func() uint64{
		"sessions":             func() uint64 { return s.Refusals().Sessions },
		"connect_rate":         func() uint64 { return s.Refusals().ConnectRate },
		"sessions_per_address": func() uint64 { return s.Refusals().PerAddress },
		"sessions_per_user":    func() uint64 { return s.Refusals().PerUser },
		"publish_rate":         m.throttled.Load,
	} {
		m.counter("holdfast_limit_refusals_total", "Sessions and messages refused because a bound was reached, by the bound.", prometheus.Labels{"limit": limit}, read)
	}
}

func (m *Metrics) messages(s Sources) {
	m.gauge("holdfast_channels", "Channels that somebody listens to.", nil, func() float64 { return float64(s.Channels()) })
	m.gauge("holdfast_subscriptions", "Subscriptions held by all sessions.", nil, func() float64 { return float64(s.Subscriptions()) })
	m.counter("holdfast_messages_published_total", "Messages accepted from publishers.", nil, s.Published)
	m.counter("holdfast_messages_delivered_total", "Messages handed to the sockets of sessions.", nil, s.Delivered)
	m.gauge("holdfast_held_bytes", "Bytes kept for single sessions: unfinished messages and unread replies.", nil, func() float64 { return float64(s.HeldBytes()) })
	for i, result := range []string{"published", "failed", "skipped"} {
		m.counter("holdfast_scheduled_messages_total", "Times at which a schedule was due, by what became of it.", prometheus.Labels{"result": result}, func() uint64 {
			published, failed, skipped := s.Scheduled()
			return uint64([]int64{published, failed, skipped}[i])
		})
	}
	m.counter("holdfast_sent_bytes_total", "Bytes written to the sockets of sessions.", nil, s.SentBytes)
}

func (m *Metrics) drain(progress func() drain.Progress) {
	for _, state := range drain.States() {
		m.gauge("holdfast_drain_state", "1 for the state that the server is in, 0 for the others.", prometheus.Labels{"state": state.String()}, func() float64 {
			if progress().State == state {
				return 1
			}
			return 0
		})
	}
	m.gauge("holdfast_drain_remaining_sessions", "Sessions that the drain waits for; 0 while serving.", nil, func() float64 {
		if p := progress(); p.State != drain.Serving {
			return float64(p.Remaining)
		}
		return 0
	})
	m.gauge("holdfast_drain_deadline_timestamp_seconds", "Unix time at which the drain ends by force; 0 while serving.", nil, func() float64 {
		at := progress().ForcedAt
		if at.IsZero() {
			return 0
		}
		return float64(at.UnixMilli()) / 1e3
	})
}

func (m *Metrics) drained(read func() Drained) {
	m.counter("holdfast_drain_notices_total", "Frames that told a session of a drain.", nil, func() uint64 { return read().Told })
	for how, of := range map[string]func(Drained) uint64{
		"moved":  func(d Drained) uint64 { return d.Moved },
		"shed":   func(d Drained) uint64 { return d.Shed },
		"forced": func(d Drained) uint64 { return d.Forced },
	} {
		m.counter("holdfast_drain_sessions_total", "Sessions that drains ended, by how.", prometheus.Labels{"how": how}, func() uint64 { return of(read()) })
	}
}

func (m *Metrics) gauge(name, help string, labels prometheus.Labels, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

func (m *Metrics) counter(name, help string, labels prometheus.Labels, read func() uint64) {
	opts := prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}
	m.registry.MustRegister(prometheus.NewCounterFunc(opts, func() float64 { return float64(read()) }))
}

// CountRefusal counts a client that was refused before it became a session.
func (m *Metrics) CountRefusal(code wire.Code) {
	if n := m.refused[code]; n != nil {
		n.Add(1)
	}
}

// CountRequestRefusal counts an HTTP request, or one message among many, that
// was answered with an error.
func (m *Metrics) CountRequestRefusal(code wire.Code) {
	if n := m.requests[code]; n != nil {
		n.Add(1)
	}
}

// CountFrameRefusal counts a client's frame that was answered with an error.
func (m *Metrics) CountFrameRefusal(code wire.Code) {
	if n := m.frames[code]; n != nil {
		n.Add(1)
	}
}

// CountThrottled counts a message that was over the rate of its publisher.
func (m *Metrics) CountThrottled() { m.throttled.Add(1) }

// CountClose counts the end of a session. code is what the close frame said,
// or CloseLost when there was none.
func (m *Metrics) CountClose(code wire.CloseCode) {
	if n := m.closed[code]; n != nil {
		n.Add(1)
		return
	}
	m.other.Add(1)
}

// ObservePublish records how long one publish took, from its being read to
// its acknowledgement.
func (m *Metrics) ObservePublish(d time.Duration) { m.latency.Observe(d.Seconds()) }

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
