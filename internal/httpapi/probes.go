package httpapi

import (
	"net/http"

	"holdfast.dev/holdfast/internal/drain"
)

// livez answers that the process is alive. It does so while draining too: a
// supervisor must not kill a server that is waiting for its clients.
func livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"state": "live"})
}

// readyz answers whether new clients are welcome.
func (a *api) readyz(w http.ResponseWriter, _ *http.Request) {
	progress, status := a.Drain(), http.StatusOK
	if progress.State != drain.Serving {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, progress)
}
