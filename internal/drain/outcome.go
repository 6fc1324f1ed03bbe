package drain

import (
	"fmt"
	"log/slog"
	"time"
)

// Result says in one word how a drain ended.
type Result uint8

// The results.
const (
	Clean   Result = iota // every session left by itself
	Forced                // some were closed: at the limit, or by repeated signals
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

// Outcome is how a drain ended.
type Outcome struct {
	Result  Result
	Exit    int           // the process's exit code
	Cause   string        // what began the drain, "SIGTERM" for example
	Of      int           // sessions that were open when it began, or Unknown
	Forced  int           // of those, closed by the server
	Open    int           // of those, open still, or Unknown; not 0 only at exits 3 and 5
	Waiting time.Duration // from the beginning until everybody had left or forcing began
	Forcing time.Duration // from then on
	// Undelivered is how many messages closed sessions did not get any more,
	// or Unknown.
	Undelivered int
}

// Left returns how many sessions left by themselves.
func (o *Outcome) Left() int { return max(o.Of-o.Forced-o.Open, 0) }

// Line returns the last line of the drain.
func (o *Outcome) Line() Line {
	attrs := []slog.Attr{
		slog.String("outcome", o.Result.String()),
		slog.String("cause", o.Cause),
		slog.String("took", human(o.Waiting+o.Forcing)),
	}
	if o.Forcing > 0 {
		attrs = append(attrs,
			slog.String("waiting", human(o.Waiting)),
			slog.String("forcing", human(o.Forcing)))
	}
	if o.Of >= 0 {
		attrs = append(attrs,
			slog.Int("of", o.Of),
			slog.Int("left", o.Left()),
			slog.Int("forced", o.Forced))
	}
	if o.Open > 0 {
		attrs = append(attrs, slog.Int("open", o.Open))
	}
	if o.Undelivered >= 0 {
		attrs = append(attrs, slog.Int("undelivered", o.Undelivered))
	}
	level, message := o.words()
	return Line{Level: level, Message: message, Attrs: append(attrs, slog.Int("exit", o.Exit))}
}

func (o *Outcome) words() (slog.Level, string) {
	switch {
	case o.Exit != ExitDrained && o.Of < 0:
		return slog.LevelError, "drain over: the connections could not even be counted"
	case o.Exit == ExitWall:
		return slog.LevelError, fmt.Sprintf("drain over at its hard wall: %s would not end", connections(o.Open))
	case o.Exit == ExitSignals && o.Open > 0:
		return slog.LevelWarn, fmt.Sprintf("drain cut short by the third signal: %s open still", connections(o.Open))
	case o.Of == 0:
		return slog.LevelInfo, "drain complete: nobody was connected"
	case o.Forced == 0:
		return slog.LevelInfo, fmt.Sprintf("drain complete: %d of %s ended by themselves", o.Of, connections(o.Of))
	default:
		return slog.LevelInfo, fmt.Sprintf("drain complete: %d of %s ended by themselves, %d closed by force", o.Left(), connections(o.Of), o.Forced)
	}
}

func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}
