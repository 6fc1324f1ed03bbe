package node

import (
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/metrics"
)

// keeper is what an engine that keeps messages here says of itself.
type keeper interface {
	HistoryBytes() int64
	Evicted() ledger.Evicted
}

// history is what the metrics show of messages that are kept.
func (n *node) history() metrics.History {
	totals := n.carrier.Totals()
	h := metrics.History{MaxBytes: int64(n.cfg.MaxHistory), Replayed: totals.Replayed, Skipped: totals.Skipped}
	if k, ok := n.engine.(keeper); ok {
		evicted := k.Evicted()
		h.Bytes = k.HistoryBytes()
		h.Evicted = map[string]uint64{"messages": evicted.Count, "age": evicted.Age, "bytes": evicted.Bytes, "process": evicted.Process}
	}
	if n.roster != nil {
		h.Present = n.roster.Len()
	}
	h.Refusing = n.disk != nil && n.disk.Refusal() != nil
	return h
}
