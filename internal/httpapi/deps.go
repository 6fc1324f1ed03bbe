package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"holdfast.dev/holdfast/internal/auth"
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/hub"
	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// Publisher takes messages. Errors are *wire.Error. It must not keep
// p.Data: the bytes are used again when Publish has returned.
type Publisher interface {
	Publish(ctx context.Context, p wire.Publication) (hub.Receipt, error)
}

// Channels shows which channels somebody listens to.
type Channels interface {
	Channels(prefix, after string, limit int) []hub.ChannelInfo
	Channel(name string) (info hub.ChannelInfo, ok bool)
}

// Sessions shows who is connected and disconnects.
type Sessions interface {
	Sessions(ctx context.Context, f session.Filter) []session.Info
	// Disconnect closes one session, with 4009, and reports whether there was
	// such a one. With revoke its token no longer counts, and the code is
	// 4001.
	Disconnect(ctx context.Context, id string, revoke bool) (found bool, err error)
	// DisconnectUser closes all sessions of a user and returns how many there
	// were. With revoke no token of the user that was issued so far counts.
	DisconnectUser(ctx context.Context, user string, revoke bool) (ended int, err error)
}

// History shows what channels hold.
type History interface {
	// History returns up to limit entries behind since, or the newest where
	// it is zero, of no more than so many bytes, but one at least.
	History(channel string, since wire.ID, limit, bytes int) (hub.History, error)
}

// Newcomer is a client whose handshake passed every check.
type Newcomer struct {
	Handshake ws.Handshake
	Wants     []wire.Wanted  // to subscribe to at once; checked
	Grant     *session.Grant // of its token; nil without one
	Address   netip.AddrPort
}

// Door lets clients in.
type Door interface {
	// Upgrade takes the connection over and serves the client on it. When it
	// returns a refusal, nothing was written and the connection is untouched.
	Upgrade(w http.ResponseWriter, r *http.Request, n Newcomer) *wire.Error
	// Events answers with an event stream, whose headers are those of w. When
	// it returns a refusal, nothing was written. Over HTTP/2 it returns when
	// the stream is over.
	Events(w http.ResponseWriter, r *http.Request, n Newcomer) *wire.Error
	// Refusal is what Upgrade would refuse a newcomer from this address with
	// now, or nil. user is "" when not known.
	Refusal(address netip.Addr, user string) *wire.Error
}

// Stats are the numbers of GET /v1/status.
type Stats struct {
	Sessions        int     `json:"sessions"`
	Channels        int     `json:"channels"`
	Subscriptions   int     `json:"subscriptions"`
	Published       uint64  `json:"published"`
	Delivered       uint64  `json:"delivered"`
	PublishedPerSec float64 `json:"published_per_s"`
	DeliveredPerSec float64 `json:"delivered_per_s"`
}

// Deps is what the interface stands on. All fields are required unless they
// say otherwise. The functions may be called by many goroutines at once.
type Deps struct {
	Publisher Publisher
	Channels  Channels
	Sessions  Sessions
	History   History
	Presence  session.Presence // nil where no channel has it
	Door      Door

	Drain          func() drain.Progress
	Drainer        Drainer
	Stats          func() Stats
	Metrics        http.Handler
	CountRefusal   func(wire.Code)     // a client was refused before it became a session
	ObservePublish func(time.Duration) // a publish took this long
	CountThrottled func()              // a message was over MaxPublishRate
	// CountRequestRefusal is told of each request, and each message among
	// many, that is answered with an error.
	CountRequestRefusal func(wire.Code)
	Logger              *slog.Logger

	Version string
	Started time.Time // when the process began, for its uptime

	// Admission says who may connect.
	Admission Admission
	// Keys are who may call /v1; with none it is open.
	Keys auth.Keys
	// Insecure says that an open server is meant to be reached from
	// elsewhere: Host is not checked then.
	Insecure bool
	// Listen is the address as it was configured, HOST:PORT.
	Listen string
	// AllowOrigins are web origins, scheme://host[:port], whose pages may use
	// the server besides those of its own host. Those that are not of this
	// form are logged and left out.
	AllowOrigins []string
	// AllowHosts are names, without port, that Host may carry besides those
	// of this machine.
	AllowHosts []string
	// TrustedProxies are the addresses whose Forwarded or X-Forwarded-For
	// header says who a client is. With none, the peer of the connection is
	// the client, whatever the headers say.
	TrustedProxies []netip.Prefix
	// MaxMessage bounds the body of one message and one line of a stream, in
	// bytes.
	MaxMessage int
	// MaxPublishRate bounds the messages a second that are published with one
	// key or, without keys, from one address; 0 is no bound.
	MaxPublishRate int
	// Compression offers permessage-deflate.
	Compression bool
}
