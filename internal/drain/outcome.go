package drain

import (
	"fmt"
	"log/slog"
	"time"
)

// Result says in one word how a drain ended.
type Result uint8

// The results. A drain that is called off ends in none of them.
const (
	Clean   Result = iota // every session left by itself, or was closed in its turn before the limit
	Forced                // some were closed at the limit, or by repeated signals
	Hurried               // a second SIGTERM shortened the limit
)

var resultNames = [...]string{Clean: "clean", Forced: "forced", Hurried: "hurried"}

// String returns the result as the log shows it.
func (r Result) String() string {
	if int(r) < len(resultNames) {
		return resultNames[r]
	}
	return fmt.Sprintf("result(%d)", r)
}

// Exit codes of a drained process.
const (
	ExitDrained = 0 // in order, also when the limit forced the rest
	ExitSignals = 3 // forced by repeated signals
	ExitWall    = 5 // sessions were left at the hard wall
)

// Unknown stands for a number that there was no news of.
const Unknown = -1

// Outcome is how a drain ended. Of Tally, Remaining is not 0 at exits 3 and 5
// only.
type Outcome struct {
	Tally
	Result   Result
	Exit     int           // the process's exit code
	Cause    string        // what began the drain, "SIGTERM" for example
	Counted  bool          // Tally is known
	Waiting  time.Duration // from the beginning until everybody had left, or shedding or forcing began
	Shedding time.Duration // from then on until forcing began, or all was over
	Forcing  time.Duration // from then on
	// Undelivered is how many messages closed sessions did not get any more,
	// or Unknown.
	Undelivered int
}

// Outcome returns how the drain ended. It is over.
func (m *Machine) Outcome() Outcome {
	o := Outcome{Tally: m.tally(m.census), Cause: m.cause, Counted: m.counted, Undelivered: Unknown}
	o.Waiting, o.Shedding, o.Forcing = m.phases()
	switch {
	case m.cut:
		o.Result, o.Exit = Forced, ExitSignals
	case o.Remaining > 0 || !m.counted:
		o.Result, o.Exit = Forced, ExitWall
	case m.forced && !m.forcedAt.IsZero():
		o.Result, o.Exit = Forced, ExitSignals
	case m.hurried:
		o.Result = Hurried
	case o.Tally.Forced > 0:
		o.Result = Forced
	}
	return o
}

// phases returns how long each part of the drain took.
func (m *Machine) phases() (waiting, shedding, forcing time.Duration) {
	end := m.ended
	if !m.forcedAt.IsZero() {
		forcing = end.Sub(m.forcedAt)
		end = m.forcedAt
	}
	if !m.shedAt.IsZero() {
		shedding = end.Sub(m.shedAt)
		end = m.shedAt
	}
	return end.Sub(m.started), shedding, forcing
}

// Line returns the last line of the drain.
func (o *Outcome) Line() Line {
	attrs := []slog.Attr{
		slog.String("outcome", o.Result.String()),
		slog.String("cause", o.Cause),
		slog.String("took", human(o.Waiting+o.Shedding+o.Forcing)),
	}
	if o.Shedding+o.Forcing > 0 {
		attrs = append(attrs, slog.String("waiting", human(o.Waiting)))
	}
	if o.Shedding > 0 {
		attrs = append(attrs, slog.String("shedding", human(o.Shedding)))
	}
	if o.Forcing > 0 {
		attrs = append(attrs, slog.String("forcing", human(o.Forcing)))
	}
	if o.Counted {
		attrs = append(append(attrs, o.attrs()...), slog.Int("forced", o.Forced))
	}
	if o.Remaining > 0 {
		attrs = append(attrs, slog.Int("open", o.Remaining))
	}
	if o.Undelivered >= 0 {
		attrs = append(attrs, slog.Int("undelivered", o.Undelivered))
	}
	level, message := o.words()
	return Line{Level: level, Message: message, Attrs: append(attrs, slog.Int("exit", o.Exit))}
}

func (o *Outcome) words() (slog.Level, string) {
	switch {
	case o.Exit != ExitDrained && !o.Counted:
		return slog.LevelError, "drain over: the connections could not even be counted"
	case o.Exit == ExitWall:
		return slog.LevelError, fmt.Sprintf("drain over at its hard wall: %s would not end", connections(o.Remaining))
	case o.Exit == ExitSignals && o.Remaining > 0:
		return slog.LevelWarn, fmt.Sprintf("drain cut short by the third signal: %s open still", connections(o.Remaining))
	case o.Of == 0:
		return slog.LevelInfo, "drain complete: nobody was connected"
	}
	message := fmt.Sprintf("drain complete: %d of %s ended by themselves", o.Left+o.Moved, connections(o.Of))
	if o.Shed > 0 {
		message += fmt.Sprintf(", %d shed", o.Shed)
	}
	if o.Forced > 0 {
		message += fmt.Sprintf(", %d closed by force", o.Forced)
	}
	return slog.LevelInfo, message
}

// attrs returns who left and how, but for those that were forced.
func (t Tally) attrs() []slog.Attr {
	return []slog.Attr{slog.Int("of", t.Of), slog.Int("left", t.Left), slog.Int("moved", t.Moved), slog.Int("shed", t.Shed)}
}

func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}
