package config

import (
	"testing"
	"time"
)

func TestSize_IsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]Size{"0B": 0, "512B": 512, "64KiB": 64 << 10, "1MiB": 1 << 20, "3GiB": 3 << 30, "1500B": 1500} {
		got, err := ParseSize(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d, %s, %v", text, got, got, err)
		}
	}
	if got, err := ParseSize("1024KiB"); err != nil || got.String() != "1MiB" {
		t.Errorf("1024KiB: %s, %v", got, err)
	}
}

func TestDuration_IsWrittenShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 30 * time.Minute: "30m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s",
		25 * time.Second: "25s", 100 * time.Minute: "1h40m", 10 * time.Hour: "10h", 3601 * time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
		if back, err := parseDuration(formatDuration(d)); err != nil || back != d {
			t.Errorf("%s is read as %v, %v", want, back, err)
		}
	}
}
