package drain

import (
	"strings"
	"time"
)

// human returns d as a person says it: 19m40s, 30m and 2h, tenths below ten
// seconds, milliseconds below one.
func human(d time.Duration) string {
	switch {
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Second)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// countdown returns a time that is left in whole seconds: timers are a little
// late, and a reader wants to see 3s, 2s, 1s.
func countdown(left time.Duration) string { return human(left.Round(time.Second)) }
