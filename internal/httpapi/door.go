package httpapi

import (
	"net/http"
	"strings"
)

// isDoor reports whether a path is one at which clients connect.
func isDoor(path string) bool { return path == "/ws" || path == "/events" }

// connects reports whether a request is a client's that connects, and not
// somebody's who only looks.
func connects(r *http.Request) bool {
	return r.URL.Path == "/events" && r.Method == http.MethodGet || r.Header["Upgrade"] != nil
}

// checkPage refuses pages of other sites at a door, and lets those that may
// connect see the answer. It reports whether the request goes on.
func (a *api) checkPage(w http.ResponseWriter, r *http.Request) bool {
	page, e := a.policy.checkOrigin(r)
	if e != nil {
		a.logOnce(r, strings.Join(r.Header["Origin"], ", "), e)
		a.turnAway(w, r, e)
		return false
	}
	if page {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	}
	return true
}
