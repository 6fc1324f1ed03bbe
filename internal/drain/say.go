package drain

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

func (m *Machine) say(l Line) { m.actions.Lines = append(m.actions.Lines, l) }

// serving says that a drain was called off, and answers a request for a
// status line.
func (m *Machine) serving(now time.Time) {
	if m.fresh && m.news != nil {
		m.say(m.news(now))
		m.news = nil
	}
	if m.fresh && m.cadence.asked && m.cadence.due(now, 0) {
		m.say(Line{Message: "serving: " + connections(m.census.Open), Attrs: []slog.Attr{
			slog.Int("connections", m.census.Open),
		}})
	}
}

func (m *Machine) startLine(now time.Time) Line {
	of := m.tally(m.census).Of
	message := fmt.Sprintf("drain started: %s, %s", connections(of), m.until(now))
	if m.cause == Interrupt.String() {
		message += " (Ctrl+C again to force it)"
	}
	return Line{Message: message, Attrs: []slog.Attr{
		slog.String("cause", m.cause),
		slog.Int("connections", of),
		slog.String("limit", human(m.deadline.Sub(m.limited))),
		m.forcedAtAttr(),
	}}
}

// progress says how many are left when a line is due.
func (m *Machine) progress(now time.Time) {
	t := m.tally(m.census)
	if !m.cadence.due(now, tenths(t.Of, t.Remaining)) {
		return
	}
	until, left := m.until(now), m.deadline.Sub(now)
	if m.state == Forcing {
		left = 0
		until = "closing them, " + countdown(m.wall().Sub(now)) + " until the hard wall"
	}
	attrs := []slog.Attr{
		slog.Int("remaining", t.Remaining),
		slog.Int("of", t.Of),
		slog.Int("left", t.Left),
		slog.Int("moved", t.Moved),
		slog.Int("shed", t.Shed),
		slog.Float64("rate", perSecond(t.Of-t.Remaining-m.counts.gone, now.Sub(m.counts.at))),
		slog.Int("left_s", seconds(left)),
	}
	if m.state == Forcing {
		attrs = append(attrs, slog.Int("forced", t.Forced))
	}
	m.say(Line{Message: fmt.Sprintf("draining: %s left, %s", m.ofAll(), until), Attrs: attrs})
	m.counts = count{now, t.Of - t.Remaining}
}

// perSecond returns n within d as so many a second, to one decimal.
func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return math.Round(10*float64(n)/d.Seconds()) / 10
}

func (m *Machine) hurryLine(now time.Time) Line {
	return Line{
		Level:   slog.LevelWarn,
		Message: fmt.Sprintf("second signal, SIGTERM: limit shortened, %s left, %s", m.ofAll(), m.until(now)),
		Attrs:   []slog.Attr{slog.Int("remaining", m.census.Open), m.forcedAtAttr()},
	}
}

func (m *Machine) limitLine(now time.Time) Line {
	return Line{
		Message: fmt.Sprintf("drain limit changed: %s left, %s", m.ofAll(), m.until(now)),
		Attrs:   []slog.Attr{slog.Int("remaining", m.census.Open), m.forcedAtAttr()},
	}
}

func (m *Machine) shedLine(now time.Time) Line {
	over := m.deadline.Sub(now)
	rate := min(perSecond(m.staying, over), float64(m.config.MaxRate))
	message := fmt.Sprintf("shedding started: closing the remaining %s over %s", m.ofAll(), human(over))
	if rate > 0 {
		message += fmt.Sprintf(", %g a second", rate)
	}
	return Line{Message: message, Attrs: []slog.Attr{
		slog.Int("remaining", m.census.Open),
		slog.String("window", human(over)),
		slog.Float64("rate", rate),
		slog.Int("code", int(wire.CloseRestart)),
	}}
}

func (m *Machine) forceLine() Line {
	why := "drain limit reached"
	if m.forced {
		why = "second signal, SIGINT"
	}
	return Line{
		Level:   slog.LevelWarn,
		Message: fmt.Sprintf("%s: closing the remaining %s within %s", why, m.ofAll(), human(m.config.ForceOver)),
		Attrs:   []slog.Attr{slog.Int("remaining", m.census.Open), slog.Int("code", int(wire.CloseRestart))},
	}
}

// cancelLine says that the drain was called off at now.
func (r *run) cancelLine(now time.Time, c Census) Line {
	t := r.tally(c)
	return Line{
		Message: fmt.Sprintf("drain called off: serving on, %d of %s left", t.Remaining, connections(t.Of)),
		Attrs: append([]slog.Attr{
			slog.String("outcome", "cancelled"),
			slog.String("cause", r.cause),
			slog.String("took", human(now.Sub(r.started))),
			slog.Int("remaining", t.Remaining),
		}, t.attrs()...),
	}
}

// ofAll says how many of the sessions are open still.
func (m *Machine) ofAll() string {
	return fmt.Sprintf("%d of %s", m.census.Open, connections(m.tally(m.census).Of))
}

// until says how long the sessions have.
func (m *Machine) until(now time.Time) string {
	return countdown(m.deadline.Sub(now)) + " until forced shutdown"
}

func (m *Machine) forcedAtAttr() slog.Attr {
	return slog.String("forced_at", m.deadline.UTC().Format(time.RFC3339))
}

// seconds returns d in whole seconds, not below 0.
func seconds(d time.Duration) int { return int(max(d.Round(time.Second), 0) / time.Second) }
