package metrics

import "github.com/prometheus/client_golang/prometheus"

// History is what the server keeps of messages, and what came of it.
type History struct {
	Bytes    int64             // kept now
	MaxBytes int64             // that may be
	Evicted  map[string]uint64 // messages let go of, by one of evictions
	Replayed uint64            // messages of the past that sessions were sent
	Skipped  uint64            // messages that slow sessions were told they missed
	Present  int               // users at channels that have presence
	Refusing bool              // the journal cannot be written and publishes are refused
}

// evictions are the bounds that messages are let go of by.
var evictions = []string{"messages", "age", "bytes", "process"}

func (m *Metrics) history(read func() History) {
	m.gauge("holdfast_history_bytes", "Bytes that the history of all channels takes.", nil, func() float64 { return float64(read().Bytes) })
	m.gauge("holdfast_max_history_bytes", "Bytes that the history of all channels may take.", nil, func() float64 { return float64(read().MaxBytes) })
	for _, bound := range evictions {
		m.counter("holdfast_history_evicted_total", "Messages that the history let go of, by the bound.", prometheus.Labels{"bound": bound}, func() uint64 { return read().Evicted[bound] })
	}
	m.counter("holdfast_messages_replayed_total", "Messages of the past that sessions were sent because they resumed.", nil, func() uint64 { return read().Replayed })
	m.counter("holdfast_messages_skipped_total", "Messages that slow sessions missed and were told of (--slow-clients skip).", nil, func() uint64 { return read().Skipped })
	m.gauge("holdfast_presence", "Users, and sessions without one, at channels that have presence.", nil, func() float64 { return float64(read().Present) })
	m.gauge("holdfast_journal_failing", "1 while the journal cannot be written and publishes are refused, else 0.", nil, func() float64 {
		if read().Refusing {
			return 1
		}
		return 0
	})
}
