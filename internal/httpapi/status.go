package httpapi

import (
	"net/http"
	"os"
	"runtime/metrics"
	"time"

	"holdfast.dev/holdfast/internal/drain"
)

// status answers how the server is doing.
func (a *api) status(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, struct {
		Version string  `json:"version"`
		PID     int     `json:"pid"`
		Uptime  float64 `json:"uptime_s"`
		Stats
		Memory uint64         `json:"memory_bytes"`
		Drain  drain.Progress `json:"drain"`
	}{
		Version: a.Version,
		PID:     os.Getpid(),
		Uptime:  time.Since(a.Started).Truncate(time.Millisecond).Seconds(),
		Stats:   a.Stats(),
		Memory:  memory(),
		Drain:   a.Drain(),
	})
}

// memory returns how many bytes the process holds, by Go's own account.
func memory() uint64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
