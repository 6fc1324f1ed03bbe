package cli

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Blocks of the bar and of the curve, from nothing to a whole character.
var (
	lying    = []rune(" ▏▎▍▌▋▊▉█")
	standing = []rune(" ▁▂▃▄▅▆▇█")
)

// blocks returns a row of so many characters, filled up to share.
func blocks(width int, share float64) string {
	eighths := int(math.Round(min(max(share, 0), 1) * float64(width*8)))
	row := strings.Repeat("█", eighths/8)
	if eighths%8 > 0 {
		row += string(lying[eighths%8])
	}
	return row + strings.Repeat("░", width-(eighths+7)/8)
}

// plot draws how the sessions of a drain become fewer, from its start to its
// limit: what was seen as an area, what lies before that and what is to come
// as dots.
type plot struct {
	width, height int // of the area, in characters
	fall          *drainFall
	progress      *drainProgress
	projection    projection
}

// rows returns the plot with its axes.
func (p *plot) rows() []string {
	cells := p.cells()
	top := grouped(p.progress.Of)
	margin := len(top) + 1
	rows := make([]string, 0, p.height+2)
	for i, row := range cells {
		label, line := "", "│"
		if i == 0 {
			label, line = top, "┤"
		}
		rows = append(rows, fmt.Sprintf("%*s %s%s", margin, label, line, strings.TrimRight(string(row), " ")))
	}
	axis := []rune(strings.Repeat("─", p.width))
	if c := p.column(p.progress.ShedAt); c >= 0 && c < p.width {
		axis[c] = '┴'
	}
	return append(rows, fmt.Sprintf("%*s └%s", margin, "0", string(axis)), strings.Repeat(" ", margin+2)+p.labels())
}

// column returns where a moment lies.
func (p *plot) column(t time.Time) int {
	whole := p.progress.ForcedAt.Sub(p.progress.StartedAt)
	if whole <= 0 {
		return -1
	}
	return int(float64(p.width) * t.Sub(p.progress.StartedAt).Seconds() / whole.Seconds())
}

// cells draws the area and the dots.
func (p *plot) cells() [][]rune {
	rows := make([][]rune, p.height)
	for i := range rows {
		rows[i] = []rune(strings.Repeat(" ", p.width))
	}
	whole := p.progress.ForcedAt.Sub(p.progress.StartedAt)
	for c := range p.width {
		middle := p.progress.StartedAt.Add(whole * time.Duration(2*c+1) / time.Duration(2*p.width))
		if middle.After(p.projection.now) && c != p.column(p.projection.now) {
			p.dot(rows, c, p.projection.at(middle))
			continue
		}
		remaining, known := p.fall.at(middle, p.progress)
		if known {
			p.area(rows, c, remaining)
		} else {
			p.dot(rows, c, remaining)
		}
	}
	return rows
}

// eighths returns how high a number stands, in eighths of a character.
func (p *plot) eighths(n float64) int {
	if p.progress.Of <= 0 {
		return 0
	}
	share := min(max(n/float64(p.progress.Of), 0), 1)
	return int(math.Ceil(share * float64(8*p.height)))
}

func (p *plot) area(rows [][]rune, c int, n float64) {
	high := p.eighths(n)
	for i := range rows {
		rows[len(rows)-1-i][c] = standing[min(max(high-8*i, 0), 8)]
	}
}

func (p *plot) dot(rows [][]rune, c int, n float64) {
	if high := p.eighths(n); high > 0 {
		rows[len(rows)-1-(high-1)/8][c] = '·'
	}
}

// labels names the start, the beginning of shedding and the limit, below the
// axis, as far as there is room.
func (p *plot) labels() string {
	line := []rune(strings.Repeat(" ", p.width))
	put := func(at int, text string) {
		at = min(max(at, 0), p.width-len(text))
		if at < 0 || strings.TrimSpace(string(line[max(at-1, 0):min(at+len(text)+1, p.width)])) != "" {
			return
		}
		copy(line[at:], []rune(text))
	}
	put(0, clockTime(p.progress.StartedAt))
	put(p.width, clockTime(p.progress.ForcedAt))
	put(p.column(p.progress.ShedAt)-3, "shedding")
	return strings.TrimRight(string(line), " ")
}
