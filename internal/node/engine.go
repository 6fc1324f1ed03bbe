package node

import (
	"log/slog"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/engine/memory"
)

// newEngine makes what orders and keeps messages. disk is the same engine
// where it keeps them on a disk, else nil.
func newEngine(cfg config.Config, sink engine.Sink, logger *slog.Logger) (e engine.Engine, disk *journal.Engine, err error) {
	if cfg.Data == "" {
		return memory.NewWith(sink, memory.Options{Rules: rules(cfg), MaxBytes: int64(cfg.MaxHistory)}), nil, nil
	}
	c := journal.Config{Dir: cfg.Data, Rules: rules(cfg), MaxBytes: int64(cfg.MaxHistory), Logger: logger}
	if cfg.Durability == config.DurabilitySync {
		c.Durability = journal.Sync
	}
	disk, err = journal.Open(c, sink)
	return disk, disk, err
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
