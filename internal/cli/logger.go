package cli

import (
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"holdfast.dev/holdfast/internal/config"
)

// newLogger returns the logger that the configuration asks for: text for
// people or JSON lines for machines, and the level that can be changed later.
func newLogger(w io.Writer, cfg config.Config, terminal, colored bool) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(cfg.LogLevel)
	format := cfg.LogFormat
	if format == config.LogAuto {
		format = config.LogJSON
		if terminal {
			format = config.LogText
		}
	}
	if format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), level
	}
	when := time.DateTime
	if terminal {
		when = time.TimeOnly
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: when, NoColor: !colored})), level
}
