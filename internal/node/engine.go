package node

import (
	"log/slog"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
)

// newEngine makes what orders and keeps messages.
func newEngine(cfg config.Config, sink engine.Sink, _ *slog.Logger) (engine.Engine, error) {
	return memory.NewWith(sink, memory.Options{Rules: rules(cfg), MaxBytes: int64(cfg.MaxHistory)}), nil
}

// rules says what each channel keeps.
func rules(cfg config.Config) ledger.Rules {
	r := ledger.Rules{Default: ledger.Keep{Messages: cfg.HistoryMessages, Age: cfg.HistoryAge, Bytes: int(cfg.HistoryBytes)}}
	for _, h := range cfg.History {
		r.First = append(r.First, ledger.Rule{
			Channels: h.Channels,
			Keep:     ledger.Keep{Messages: h.Messages, Age: h.Age, Bytes: int(h.Bytes)},
		})
	}
	return r
}
