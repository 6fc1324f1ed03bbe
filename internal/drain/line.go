package drain

import "log/slog"

// Line is one line for the log.
type Line struct {
	Level   slog.Level
	Message string
	Attrs   []slog.Attr
}
