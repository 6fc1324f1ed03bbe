package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// What a client may take before it has a handler's attention.
const (
	headerPatience = 5 * time.Second  // for a whole request header, TLS handshake included
	idlePatience   = 60 * time.Second // between two requests
	maxHeader      = 16 << 10         // bytes of one request header, request line included
)

// Server returns an HTTP server for the handler of New, with the deadlines
// and bounds of a public port. It listens to nothing yet; serve it on what
// Listener returns. HTTP/2 is off: a WebSocket begins with HTTP/1.1, and one
// protocol has half the framing to get wrong.
func Server(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      handler,
		ReadHeaderTimeout:            headerPatience,
		WriteTimeout:                 answerPatience,
		IdleTimeout:                  idlePatience,
		MaxHeaderBytes:               maxHeader - 4<<10, // net/http allows 4 KiB more than it is told
		DisableGeneralOptionsHandler: true,
		Protocols:                    protocols,
		ConnContext:                  remember,
		ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
