package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// plain makes text that came from elsewhere safe for a terminal: what is
// neither printable nor a line end is escaped.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(jsonEscape(r))
	}
	return b.String()
}

// plainLine is plain for what must stay one line, such as JSON; the result
// is the same JSON.
func plainLine(text string) string {
	return strings.ReplaceAll(plain(text), "\n", " ")
}

// jsonEscape writes a rune as JSON and people do: \u202e.
func jsonEscape(r rune) string {
	if r > 0xffff {
		high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// grouped writes 12431 as 12,431.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// span writes a duration for people: 850ms, 12s, 3m05s, 4h12m, 9d3h.
func span(d time.Duration) string {
	switch s := int64(d / time.Second); {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600 && s%60 == 0:
		return fmt.Sprintf("%dm", s/60)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400 && s%3600/60 == 0:
		return fmt.Sprintf("%dh", s/3600)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%dh", s/86400, s/3600%24)
	}
}

// Colours, as terminals know them.
const (
	dim   = "\x1b[2m"
	cyan  = "\x1b[36m"
	reset = "\x1b[0m"
)

// paint colours text when asked to.
func paint(on bool, color, text string) string {
	if !on {
		return text
	}
	return color + text + reset
}
