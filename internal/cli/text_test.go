package cli

import (
	"encoding/json"
	"testing"
	"time"
)

func TestPlain_KeepsTerminalsSafeAndJSONTheSame(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本 🎉": "plain é 日本 🎉", "a\x1b[2Jb": `a\u001b[2Jb`, "\u202e": `\u202e`, "\u0085": `\u0085`, "two\nlines": "two\nlines", "\U000e0001": `\udb40\udc01`,
	} {
		if got := plain(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	raw := "\"\u202e \u0085 \U000e0001 é\""
	var before, after string
	if json.Unmarshal([]byte(raw), &before) != nil || json.Unmarshal([]byte(plainLine(raw)), &after) != nil || before != after {
		t.Errorf("%q became %q", before, after)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 12431: "12,431", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 850 * time.Millisecond: "850ms", 12 * time.Second: "12s", 185 * time.Second: "3m05s", 4*time.Hour + 12*time.Minute: "4h12m", 219 * time.Hour: "9d3h", 30 * time.Minute: "30m", 2 * time.Hour: "2h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
