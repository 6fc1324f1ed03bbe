package httpapi

import (
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// api is the handler and what its parts share.
type api struct {
	// Static after New.
	Deps
	policy policy
	mux    *http.ServeMux
	cross  http.CrossOriginProtection
	rates  *rates // nil without a bound

	logged grudge
}

// New returns the HTTP interface of one server.
func New(d Deps) http.Handler {
	a := &api{Deps: d, policy: newPolicy(d), mux: http.NewServeMux(), rates: newRates(d.MaxPublishRate, d.Keys.Len() > 0)}
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":    howTo,
		"GET /ws":     a.webSocket,
		"GET /events": a.events,

		"POST /v1/channels/{channel}/messages": a.publish,
		"POST /v1/messages":                    a.publishMany,
		"GET /v1/channels":                     a.listChannels,
		"GET /v1/channels/{channel}":           a.showChannel,
		"GET /v1/channels/{channel}/messages":  a.history,
		"GET /v1/channels/{channel}/presence":  a.members,
		"GET /v1/sessions":                     a.listSessions,
		"DELETE /v1/sessions/{id}":             a.disconnect,
		"DELETE /v1/users/{user}/sessions":     a.disconnectUser,
		"GET /v1/status":                       a.status,
		"GET /v1/drain":                        a.showDrain,
		"POST /v1/drain":                       a.startDrain,
		"DELETE /v1/drain":                     a.cancelDrain,

		"GET /livez":   livez,
		"GET /readyz":  a.readyz,
		"GET /metrics": a.Metrics.ServeHTTP,
	} {
		a.mux.HandleFunc(pattern, handle)
	}
	return a.guarded(http.HandlerFunc(a.route))
}

// methods are those that some route answers.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete}

// route hands the request to the handler of its path and method.
func (a *api) route(w http.ResponseWriter, r *http.Request) {
	if !clean(r.URL.Path) {
		refuse(w, unclean(r.URL.Path))
		return
	}
	if _, pattern := a.mux.Handler(r); pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	allow := a.allow(r)
	switch {
	case len(allow) == 0:
		refuse(w, wire.Errorf(wire.NotFound, "there is nothing at %s; GET / lists what there is", wire.Quote(r.URL.Path)))
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", strings.Join(allow, ", "))
		refuse(w, wire.Errorf(wire.MethodNotAllowed, "%s takes %s, not %s", wire.Quote(r.URL.Path), strings.Join(allow, ", "), wire.Quote(r.Method)))
	}
}

// allow returns the methods that the path of the request takes, if any.
func (a *api) allow(r *http.Request) []string {
	probe := *r
	return slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
		probe.Method = method
		_, pattern := a.mux.Handler(&probe)
		return pattern == ""
	})
}

// clean reports whether p is a path that ServeMux would not redirect from.
// Nothing here is to be found at two addresses.
func clean(p string) bool {
	return p != "" && p[0] == '/' && (p == "/" || path.Clean(p) == strings.TrimSuffix(p, "/"))
}

func unclean(p string) *wire.Error {
	if strings.HasPrefix(p, "/v1/channels/") {
		return wire.Errorf(wire.BadChannel, "the channel in the path %s is empty, . or ..", wire.Quote(p))
	}
	return wire.Errorf(wire.NotFound, "there is nothing at %s; write the path without empty, . and .. parts", wire.Quote(p))
}

// turnAway answers a request of a door that is refused, and counts it if it
// was a client's.
func (a *api) turnAway(w http.ResponseWriter, r *http.Request, e *wire.Error) {
	if connects(r) {
		a.CountRefusal(e.Code)
	}
	refuse(w, e)
}

// logOnce logs a refusal of a page or a host unless it did so lately.
func (a *api) logOnce(r *http.Request, who string, e *wire.Error) {
	if who = wire.Quote(who); a.logged.first(string(e.Code) + who) {
		a.Logger.Warn(e.Message, slog.String("code", string(e.Code)), slog.String("client", r.RemoteAddr), slog.String("help", e.Code.Help()))
	}
}
