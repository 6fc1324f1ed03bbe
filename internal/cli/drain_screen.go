package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// drainScreen is the live view of a drain, drawn over itself.
type drainScreen struct {
	*app
	server  string
	colored bool

	fall  drainFall
	drawn int // lines on the terminal to draw over
}

// Bounds of what is drawn, in characters.
const (
	usualWidth, usualHeight = 80, 24
	narrowest, widest       = 40, 100
	plotHeight              = 8
	otherLines              = 15 // of the whole view but the plot's area
)

// size returns the room on the terminal.
func (v *drainScreen) size() (width, height int) {
	width, height = usualWidth, usualHeight
	if f, ok := v.Out.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			width, height = w, h
		}
	}
	return width, height
}

// show implements drainView.
func (v *drainScreen) show(now time.Time, p drainProgress) error {
	width, height := v.size()
	var lines []string
	if p.serving() {
		lines = []string{p.line() + "; waits for one to begin", "", paint(v.colored, dim, "Ctrl+C stops watching.")}
	} else {
		now = serverTime(now, &p)
		v.fall.add(now, p.Remaining)
		lines = v.lines(now, &p, width, height)
	}
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	v.drawn = len(lines)
	return v.printf("%s", b.String())
}

// close leaves the last picture as it is; a ^C that the terminal shows goes.
func (v *drainScreen) close() {
	if v.drawn > 0 {
		v.printf("\r\x1b[K")
	}
}

// serverTime returns now by the server's clock, where that differs from ours.
func serverTime(now time.Time, p *drainProgress) time.Time {
	if p.Seconds <= 0 {
		return now
	}
	if off := p.ForcedAt.Add(-p.until()).Sub(now); off > 2*time.Second || off < -2*time.Second {
		return now.Add(off)
	}
	return now
}

// lines draws the whole view.
func (v *drainScreen) lines(now time.Time, p *drainProgress, width, height int) []string {
	width = min(max(width, narrowest), widest)
	gone := p.Of - p.Remaining
	share := 0.0
	if p.Of > 0 {
		share = float64(gone) / float64(p.Of)
	}
	j := v.fall.project(now, p)
	lines := []string{
		cut(fmt.Sprintf("%s: %s, begun %s by %s", v.server, plainLine(p.State), clockTime(p.StartedAt), plainLine(p.Cause)), width),
		"",
		cut(fmt.Sprintf("  %s of %s left", grouped(p.Remaining), sessionCount(p.Of)), width),
		"  " + paint(v.colored, cyan, blocks(width-12, share)) + fmt.Sprintf(" %5.1f %%", 100*share),
		"",
	}
	if rows := min(plotHeight, height-otherLines); rows >= 3 {
		plot := plot{width: width - len(grouped(p.Of)) - 5, height: rows, fall: &v.fall, progress: p, projection: j}
		for _, row := range plot.rows() {
			lines = append(lines, paint(v.colored, cyan, row))
		}
		lines = append(lines, "")
	}
	lines = append(lines,
		cut(fmt.Sprintf("  left %s   moved %s   shed %s   forced %s   %.1f/s", grouped(p.Left), grouped(p.Moved), grouped(p.Shed), grouped(p.Forced), j.rate), width),
		cut("  "+p.schedule(now), width),
		cut("  "+j.String(), width),
		"",
		paint(v.colored, dim, cut("Ctrl+C stops watching, not the drain. Call it off: holdfast drain cancel", width)))
	return lines
}

// schedule says what the server does when.
func (p *drainProgress) schedule(now time.Time) string {
	switch left := p.ShedAt.Sub(now); {
	case p.Seconds <= 0:
		return "the last ones are being closed"
	case left > 0:
		return fmt.Sprintf("shedding in %s, forced shutdown in %s", span(left.Round(time.Second)), span(p.until()))
	}
	return fmt.Sprintf("forced shutdown in %s", span(p.until()))
}

// String says when the drain ends.
func (j *projection) String() string {
	switch {
	case j.remaining == 0 || j.ends.Before(j.now):
		return "about to end"
	case j.closed == 0:
		return fmt.Sprintf("at this pace all have left at %s, in %s", clockTime(j.ends), span(j.ends.Sub(j.now).Round(time.Second)))
	case j.shedAt.After(j.now):
		return fmt.Sprintf("at this pace %s are there at %s; the server closes them by %s",
			grouped(int64(j.closed+0.5)), clockTime(j.shedAt), clockTime(j.forcedAt))
	}
	return fmt.Sprintf("the server closes them one after the other, by %s", clockTime(j.forcedAt))
}

// cut makes a line fit a width.
func cut(line string, width int) string {
	if runes := []rune(line); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return line
}
