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

// What one HTTP/2 connection may take up. A client that opens streams only to
// reset them is net/http's to bound: no more handlers run than streams may be
// open, and a backlog of four times as many ends the connection.
const (
	maxStreams     = 128       // requests at once, streams of events included
	maxUnread      = 1 << 20   // bytes of bodies that no handler has read yet
	maxStreamAhead = 256 << 10 // bytes of them that are of one request
	maxHTTP2Frame  = 64 << 10
	pingAfter      = 30 * time.Second // of silence; no answer within answerPatience ends the connection
)

// Server returns an HTTP server for the handler of New, with the deadlines
// and bounds of a public port. It listens to nothing yet; serve it on what
// Listener or TLSListener returns, and leave its TLSConfig alone. HTTP/2 is
// spoken over TLS only.
func Server(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler:                      handler,
		ReadHeaderTimeout:            headerPatience,
		WriteTimeout:                 answerPatience,
		IdleTimeout:                  idlePatience,
		MaxHeaderBytes:               maxHeader - 4<<10, // net/http allows 4 KiB more than it is told
		DisableGeneralOptionsHandler: true,
		Protocols:                    protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReadFrameSize:              maxHTTP2Frame,
			MaxReceiveBufferPerConnection: maxUnread,
			MaxReceiveBufferPerStream:     maxStreamAhead,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   answerPatience,
			WriteByteTimeout:              answerPatience,
		},
		ConnContext: remember,
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
