package httpapi

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/wire"
)

// guarded puts in front of next what every request must pass, before it is
// routed and before its body is read.
func (a *api) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = tallied{w, &a.Deps}
		defer a.recover(w, r)
		a.identify(r)
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Origin")
		if r.ContentLength != 0 {
			rc := http.NewResponseController(w)
			// Also for what net/http reads of a body that nobody wanted.
			rc.SetReadDeadline(time.Now().Add(bodyPatience))
			unhurried(rc, r)
		}
		if e := a.check(w, r); e != nil {
			if isDoor(r.URL.Path) {
				a.turnAway(w, r, e)
			} else {
				refuse(w, e)
			}
			return
		}
		if preflight(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check runs the guards in their order.
func (a *api) check(w http.ResponseWriter, r *http.Request) *wire.Error {
	if e := checkFraming(w, r); e != nil {
		return e
	}
	if e := a.policy.checkHost(r); e != nil {
		a.logOnce(r, r.Host, e)
		return e
	}
	if n := len(r.Header["Authorization"]); n > 1 {
		return wire.Errorf(wire.BadRequest, "the request has %d Authorization headers; send one", n)
	}
	if e := a.checkCrossOrigin(w, r); e != nil {
		return e
	}
	if preflight(r) {
		return nil // it carries no key; the request that follows does
	}
	return a.checkKey(r)
}

// checkCrossOrigin lets pages of allowed origins read and ask, and refuses
// other sites' pages that would change something. A page that only looks is
// kept from seeing the answer by its browser.
func (a *api) checkCrossOrigin(w http.ResponseWriter, r *http.Request) *wire.Error {
	if values := r.Header["Origin"]; len(values) == 1 {
		if o, ok := parseOrigin(values[0]); ok && a.policy.allowed(o) {
			allowPage(w.Header(), values[0])
			return nil
		}
	}
	if a.cross.Check(r) == nil && len(r.Header["Origin"]) <= 1 || safe(r.Method) {
		return nil
	}
	seen := strings.Join(r.Header["Origin"], ", ")
	o, ok := parseOrigin(seen)
	e := a.policy.foreign(seen, o, ok)
	a.logOnce(r, seen, e)
	return e
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// allowPage lets pages of an origin see the answer. The origin must be one
// that passed: it is what the header says then, so that it stays exact.
func allowPage(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
}

// preflight reports whether a browser asks what a page may do (Fetch,
// section 3.2.2).
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// checkKey refuses calls of /v1 without one of the keys.
func (a *api) checkKey(r *http.Request) *wire.Error {
	if !a.policy.keyed || r.URL.Path != "/v1" && !strings.HasPrefix(r.URL.Path, "/v1/") {
		return nil
	}
	token, e := auth.Bearer(r.Header)
	switch {
	case e != nil:
		return e
	case token == "":
		return wire.Errorf(wire.Unauthorized, "this server wants an API key; send the header Authorization: Bearer KEY")
	case !a.Keys.Match(token):
		return wire.Errorf(wire.Unauthorized, "the API key is not one of this server's")
	}
	return nil
}

// recover turns a panic below into a 500 and a line in the log.
func (a *api) recover(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	a.Logger.Error("a request made the server panic", slog.Any("panic", cause),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("stack", string(debug.Stack())))
	refuse(w, wire.Errorf(wire.Internal, "the server failed to carry this out; its log may say why"))
}
