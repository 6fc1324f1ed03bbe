package drain

import (
	"context"
	"log/slog"
)

// voice writes lines to the log, so that a log that hangs holds up nobody
// else; lines that find no room are dropped.
type voice struct {
	// Static after construction.
	log   *slog.Logger
	lines chan Line
	done  chan struct{}
}

func newVoice(log *slog.Logger) *voice {
	return &voice{log: log, lines: make(chan Line, 16), done: make(chan struct{})}
}

// speak writes lines until their channel is closed.
func (v *voice) speak() {
	defer close(v.done)
	for l := range v.lines {
		v.log.LogAttrs(context.Background(), l.Level, l.Message, l.Attrs...)
	}
}

func (v *voice) say(lines ...Line) {
	for _, l := range lines {
		select {
		case v.lines <- l:
		default:
		}
	}
}

// rest ends the voice and waits until all is written, at most as long as
// ctx.
func (v *voice) rest(ctx context.Context) {
	close(v.lines)
	select {
	case <-v.done:
	case <-ctx.Done():
	}
}
