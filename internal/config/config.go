package config

import (
	"log/slog"
	"net/netip"
	"time"

	"holdfast.dev/holdfast/internal/schedule"
	"holdfast.dev/holdfast/internal/wire"
)

// Config is the effective configuration of one server. Make one with
// [Default] or [Loader.Load]; it is read-only afterwards and safe for
// concurrent use.
type Config struct {
	// Listen is the TCP address to serve on, HOST:PORT. Port 0 picks a free
	// one. Anything but loopback needs an API key or Insecure.
	Listen string
	// ConfigFile is the path of the file that was read, empty for none.
	ConfigFile string

	// APIKeys are the keys that may call /v1, each of at least MinKey bytes.
	// With none, /v1 is open to programs on this machine.
	APIKeys []Secret
	// Insecure serves without a key on an address that others can reach.
	Insecure bool
	// AllowOrigins are the web origins whose pages may connect, besides those
	// of the server's own host: scheme://host[:port], lower case, exact.
	AllowOrigins []string
	// AllowHosts are names that a request's Host may carry besides loopback
	// ones: lower case, no port, IPv6 without brackets.
	AllowHosts []string
	// ClientPublish are the channels that connected clients may publish to.
	// With none, no client publishes.
	ClientPublish []wire.Pattern

	// Anonymous are the channels that clients without a token may subscribe
	// to. With none, and no token key either, a server on loopback opens all.
	Anonymous []wire.Pattern

	// JWTSecrets are the secrets of HS256 tokens, each of at least
	// MinJWTSecret bytes; a token by any of them counts.
	JWTSecrets []Secret
	// JWTPublicKeys are PEM files, each with one public key of RS256, ES256 or
	// EdDSA tokens. Their content is read again on reload.
	JWTPublicKeys []string
	// JWKSURL is where a key set (RFC 7517) is published, empty for none.
	JWKSURL string
	// JWTAudience and JWTIssuer are what a token's aud and iss must name;
	// empty: they are not looked at.
	JWTAudience, JWTIssuer string
	// JWTAllowNoExpiry takes tokens without exp.
	JWTAllowNoExpiry bool

	// TLSCert and TLSKey are PEM files; both or neither. With them the server
	// speaks TLS. Their content is read again on reload.
	TLSCert, TLSKey string

	// TrustedProxies are the addresses whose Forwarded and X-Forwarded-For
	// headers, or PROXY protocol, say who a client is. With none, the peer of
	// the connection is the client.
	TrustedProxies []netip.Prefix
	// ProxyProtocol lets connections from TrustedProxies begin with a PROXY
	// protocol header, version 1 or 2; others are taken as they come.
	ProxyProtocol bool

	// Data is the folder of the journal, made if missing. Empty keeps
	// messages in memory only.
	Data string
	// Durability says when a publish is acknowledged; it matters with Data.
	Durability Durability
	// HistoryMessages is how many messages a channel keeps; 0 is no history.
	HistoryMessages int
	// HistoryAge is how long a channel keeps a message.
	HistoryAge time.Duration
	// HistoryBytes bounds what one channel keeps, MaxHistory what all keep
	// together; the oldest go first.
	HistoryBytes, MaxHistory Size
	// History has other bounds for some channels; the first rule whose
	// pattern covers a channel counts (see [Config.HistoryFor]).
	History []HistoryRule
	// Presence are the channels that tell who is there.
	Presence []wire.Pattern
	// PresenceLinger is how long a user whose last session ended is still
	// there, so that a page reload is no leave; 0: not at all.
	PresenceLinger time.Duration

	// DrainLimit is how long a drain waits for clients to leave before it
	// closes those that remain.
	DrainLimit time.Duration
	// DrainAnnounce is how long, at the beginning of the limit, newcomers are
	// still let in; 0: not at all. Left to its default on a terminal, it is 0.
	DrainAnnounce time.Duration
	// DrainInvite says that clients have somewhere to go: each is told a
	// moment of its own to move.
	DrainInvite bool
	// DrainMaxRate bounds the sessions a second that are closed in the last
	// part of the limit.
	DrainMaxRate int
	// DrainLogEvery fixes the interval of a drain's progress lines; 0 is the
	// standard cadence, which quickens towards the end.
	DrainLogEvery time.Duration
	// Heartbeat is how often each client is pinged, jittered; a client that
	// answers nothing for two of them is dead.
	Heartbeat time.Duration

	// MaxSessions bounds the clients connected at once; 0 is the process's
	// descriptor limit less 64.
	MaxSessions int
	// MaxSessionsPerAddress bounds the clients of one address, and
	// MaxSessionsPerUser the sessions of one user; 0 is no bound.
	MaxSessionsPerAddress, MaxSessionsPerUser int
	// MaxConnectRate bounds new connections a second.
	MaxConnectRate int
	// MaxSubscriptions bounds the channels that one session may subscribe to.
	MaxSubscriptions int
	// MaxFrameRate bounds the frames a second from one session; a burst of
	// twice as many is allowed.
	MaxFrameRate int
	// MaxPublishRate bounds the messages a second published with one API key
	// or, without keys, from one address; 0 is no bound.
	MaxPublishRate int
	// MaxLag bounds the bytes that a session may be behind before SlowClients
	// says what becomes of it.
	MaxLag Size
	// SlowClients is what becomes of a session behind by more than MaxLag.
	SlowClients SlowClients
	// MaxFrame bounds a message from a client, after inflating.
	MaxFrame Size
	// MaxMessage bounds the body of one published message.
	MaxMessage Size
	// Compression offers permessage-deflate to clients.
	Compression bool

	// Schedules are the messages that the server publishes by itself. A
	// configuration that names its own, even none, has no test notification.
	Schedules []schedule.Schedule

	// LogFormat is how log lines look.
	LogFormat LogFormat
	// LogLevel is the least level that is logged.
	LogLevel slog.Level
	// DebugListen is a loopback HOST:PORT that serves pprof, empty for none.
	DebugListen string

	origins map[string]Origin // by setting name; absent means default
}

// LogFormat names how log lines look.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = "auto" // text on a terminal, JSON elsewhere
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Durability says when a publish is acknowledged.
type Durability string

// The durabilities.
const (
	DurabilityAsync Durability = "async" // from memory; on disk within 50 ms
	DurabilitySync  Durability = "sync"  // when it is on disk
)

// SlowClients says what becomes of a session that is too far behind.
type SlowClients string

// The fates of slow clients.
const (
	SlowClose SlowClients = "close" // ended with 4008; it may resume
	SlowSkip  SlowClients = "skip"  // told of a gap, then goes on with the newest
)

// Default returns the configuration of a server that was told nothing.
func Default() Config {
	var c Config
	for i := range table {
		s := &table[i]
		if err := s.field.set(&c, s.defaults()); err != nil {
			panic("config: default of " + s.Name + ": " + err.Error()) // the table is wrong
		}
	}
	c.Schedules = schedule.Default()
	return c
}

// Origin returns where the value of the named setting came from.
func (c Config) Origin(name string) Origin { return c.origins[name] }
