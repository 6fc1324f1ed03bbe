package drain

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func (m *Machine) say(l Line) { m.actions.Lines = append(m.actions.Lines, l) }

// serving answers a request for a status line before any drain.
func (m *Machine) serving(now time.Time, fresh bool) {
	if fresh && m.cadence.asked && m.cadence.due(now, 0) {
		m.say(Line{Message: "serving: " + connections(m.open), Attrs: []slog.Attr{
			slog.Int("connections", m.open),
		}})
	}
}

func (m *Machine) startLine(now time.Time) Line {
	left := m.deadline.Sub(now)
	message := fmt.Sprintf("drain started: %s, %s until forced shutdown", connections(m.of), countdown(left))
	if m.cause == Interrupt.String() {
		message += " (Ctrl+C again to force it)"
	}
	return Line{Message: message, Attrs: []slog.Attr{
		slog.String("cause", m.cause),
		slog.Int("connections", m.of),
		slog.String("limit", human(m.config.Limit)),
		m.forcedAtAttr(),
	}}
}

// progress says how many are left when a line is due.
func (m *Machine) progress(now time.Time) {
	if !m.cadence.due(now, tenths(m.of, m.open)) {
		return
	}
	until := countdown(m.deadline.Sub(now)) + " until forced shutdown"
	left := m.deadline.Sub(now)
	if m.state == Forcing {
		left = 0
		until = "closing them, " + countdown(m.wall().Sub(now)) + " until the hard wall"
	}
	attrs := []slog.Attr{
		slog.Int("remaining", m.open),
		slog.Int("of", m.of),
		slog.Int("left", max(m.of-m.open-m.gone(), 0)),
		slog.Float64("rate", m.rate(now)),
		slog.Int("left_s", seconds(left)),
	}
	if m.state == Forcing {
		attrs = append(attrs, slog.Int("forced", m.gone()))
	}
	m.say(Line{Message: fmt.Sprintf("draining: %d of %s left, %s", m.open, connections(m.of), until), Attrs: attrs})
	m.counts = count{now, m.open}
}

// rate returns how many sessions a second have left since the last progress
// line, to one decimal.
func (m *Machine) rate(now time.Time) float64 {
	took := now.Sub(m.counts.at).Seconds()
	if took <= 0 {
		return 0
	}
	return math.Round(10*float64(m.counts.open-m.open)/took) / 10
}

func (m *Machine) hurryLine(now time.Time) Line {
	return Line{
		Level: slog.LevelWarn,
		Message: fmt.Sprintf("second signal, SIGTERM: limit shortened, %d of %s left, %s until forced shutdown",
			m.open, connections(m.of), countdown(m.deadline.Sub(now))),
		Attrs: []slog.Attr{slog.Int("remaining", m.open), m.forcedAtAttr()},
	}
}

func (m *Machine) forceLine() Line {
	why := "drain limit reached"
	if m.forced {
		why = "second signal, SIGINT"
	}
	return Line{
		Level: slog.LevelWarn,
		Message: fmt.Sprintf("%s: closing the remaining %d of %s within %s",
			why, m.open, connections(m.of), human(m.config.ForceOver)),
		Attrs: []slog.Attr{slog.Int("remaining", m.open), slog.Int("code", int(wire.CloseRestart))},
	}
}

func (m *Machine) forcedAtAttr() slog.Attr {
	return slog.String("forced_at", m.deadline.UTC().Format(time.RFC3339))
}

// seconds returns d in whole seconds, not below 0.
func seconds(d time.Duration) int { return int(max(d.Round(time.Second), 0) / time.Second) }
