package node

import (
	"log/slog"
	"net"

	"holdfast.dev/holdfast/internal/config"
)

// Options are what a server needs besides its configuration.
type Options struct {
	// Logger is where the server logs.
	Logger *slog.Logger
	// Level is the level of Logger; setting it takes effect at once.
	Level *slog.LevelVar
	// Terminal says that a person watches the log.
	Terminal bool
	// Version of this program.
	Version string
	// Reload reads all sources of the configuration again.
	Reload func() (config.Config, []string, error)
	// Ready must be called once, with the address bound, when clients can
	// connect.
	Ready func(addr net.Addr)
}
