package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// drainProgress is what GET /v1/drain tells.
type drainProgress struct {
	State     string    `json:"state"`
	Remaining int64     `json:"remaining"`
	Of        int64     `json:"of"`
	Seconds   float64   `json:"left_s"`
	ForcedAt  time.Time `json:"forced_at"`
	ShedAt    time.Time `json:"shed_at"`
	StartedAt time.Time `json:"started_at"`
	Cause     string    `json:"cause"`
	Left      int64     `json:"left"`
	Moved     int64     `json:"moved"`
	Shed      int64     `json:"shed"`
	Forced    int64     `json:"forced"`

	raw json.RawMessage
}

// json returns the answer as one line.
func (p *drainProgress) json() string { return plainLine(strings.TrimSpace(string(p.raw))) }

// serving reports whether no drain goes on.
func (p *drainProgress) serving() bool { return p.State == "serving" }

// until returns how long it is until the server closes those that are left.
func (p *drainProgress) until() time.Duration { return time.Duration(p.Seconds * float64(time.Second)) }

// line returns the progress in a sentence.
func (p *drainProgress) line() string {
	if p.serving() {
		return "serving: " + sessionCount(p.Remaining) + ", no drain goes on"
	}
	return fmt.Sprintf("%s: %s of %s left, %s", plainLine(p.State), grouped(p.Remaining), sessionCount(p.Of), p.end())
}

// end says when the rest is closed.
func (p *drainProgress) end() string {
	if p.Seconds > 0 {
		return span(p.until()) + " until forced shutdown"
	}
	return "they are being closed"
}

// gone says how those went that are gone.
func (p *drainProgress) gone() string {
	return fmt.Sprintf("left %s, moved %s, shed %s, forced %s", grouped(p.Left), grouped(p.Moved), grouped(p.Shed), grouped(p.Forced))
}

// lines returns all of the progress.
func (p *drainProgress) lines() []string {
	if p.serving() {
		return []string{p.line()}
	}
	return []string{
		p.line(),
		"  gone      " + p.gone(),
		fmt.Sprintf("  begun     %s, by %s", clockTime(p.StartedAt), plainLine(p.Cause)),
		fmt.Sprintf("  shedding  from %s on", clockTime(p.ShedAt)),
		fmt.Sprintf("  forced    at %s", clockTime(p.ForcedAt)),
	}
}

// clockTime writes a moment as people here say it.
func clockTime(t time.Time) string { return t.Local().Format(time.TimeOnly) }
