package config

import (
	"log/slog"
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

	// TLSCert and TLSKey are PEM files; both or neither. With them the server
	// speaks TLS. Their content is read again on reload.
	TLSCert, TLSKey string

	// DrainLimit is how long a drain waits for clients to leave before it
	// closes those that remain.
	DrainLimit time.Duration
	// DrainLogEvery fixes the interval of a drain's progress lines; 0 is the
	// standard cadence, which quickens towards the end.
	DrainLogEvery time.Duration
	// Heartbeat is how often each client is pinged, jittered; a client that
	// answers nothing for two of them is dead.
	Heartbeat time.Duration

	// MaxSessions bounds the clients connected at once; 0 is the process's
	// descriptor limit less 64.
	MaxSessions int
	// MaxConnectRate bounds new connections a second.
	MaxConnectRate int
	// MaxSubscriptions bounds the channels that one session may subscribe to.
	MaxSubscriptions int
	// MaxLag bounds the bytes that a session may be behind before it is
	// closed with 4008.
	MaxLag Size
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
