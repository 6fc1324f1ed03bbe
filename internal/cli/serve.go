package cli

import (
	"errors"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/node"
)

func newServe(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Serve clients (what holdfast does without a command)",
		Example: `  holdfast serve --config holdfast.yaml
  holdfast serve --listen :8000 --api-key @/run/secrets/holdfast
  holdfast serve --data /var/lib/holdfast --jwt-secret @/run/secrets/jwt
  holdfast serve --client-publish 'chat-*' --drain-limit 10m`,
		Args:                  arguments(0, 0, "flags only"),
		DisableFlagsInUseLine: true,
	}
	a.serveFlags(c, c.Flags())
	return c
}

// serveFlags makes c a command that serves.
func (a *app) serveFlags(c *cobra.Command, flags *pflag.FlagSet) {
	settingFlags(flags)
	a.colorFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return a.runServe(c) }
}

func (a *app) runServe(c *cobra.Command) error {
	colored, err := a.colored(a.ErrTerminal)
	if err != nil {
		return err
	}
	loader := a.loader(c)
	cfg, warnings, err := loader.Load()
	if err != nil {
		return &exitError{exitFailed, a.withCommand(err)}
	}
	// A log reader that goes away must not end the server in mid-drain.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	log, level := newLogger(a.Err, cfg, a.ErrTerminal, colored)
	for _, w := range warnings {
		log.Warn(w)
	}
	exit, err := a.serve(c.Context(), cfg, node.Options{
		Logger: log, Level: level, Version: version(),
		Terminal: a.ErrTerminal,
		Reload:   loader.Load,
		Ready: func(addr net.Addr) {
			greet := greeting{cfg: cfg, addr: addr, version: version(), pid: os.Getpid()}
			if a.ErrTerminal && cfg.LogFormat != config.LogJSON {
				greet.banner(a.Err)
			} else {
				greet.log(log)
			}
		},
	})
	if err == nil && exit == exitDone {
		return nil
	}
	return &exitError{exit, err}
}

// withCommand puts this very command line into the refusal of an address, so
// that the remedies can be pasted as they stand.
func (a *app) withCommand(err error) error {
	bind, ok := errors.AsType[*config.BindError](err)
	if !ok {
		return err
	}
	words := []string{"holdfast"}
	if len(a.args) == 0 || strings.HasPrefix(a.args[0], "-") {
		words = append(words, "serve")
	}
	for _, arg := range a.args {
		words = append(words, shellQuote(arg))
	}
	bind.Command = strings.Join(words, " ")
	return err
}

// shellQuote returns arg as a shell reads it back.
func shellQuote(arg string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=:./@%+,", r)
	}
	if arg != "" && !strings.ContainsFunc(arg, func(r rune) bool { return !safe(r) }) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
