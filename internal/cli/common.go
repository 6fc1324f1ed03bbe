package cli

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// common holds the flags that every client command has.
type common struct {
	server  string
	key     string
	json    bool
	quiet   bool
	color   string
	timeout time.Duration
}

// client makes c a command that speaks to a running server: it gets the
// common flags, and run a context that SIGINT ends.
func (a *app) client(c *cobra.Command, run func(ctx context.Context, api *api, args []string) error) *cobra.Command {
	a.commonFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		api, err := a.connect()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // a second signal ends the process at once
		if err = run(ctx, api, args); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return c
}

func (a *app) commonFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.common.server, "server", "", "`URL` the server (http://127.0.0.1:8000)")
	f.StringVar(&a.common.key, "api-key", "", "`KEY|@FILE` key to call it with; better @FILE")
	a.outputFlags(c)
	f.BoolVar(&a.common.quiet, "quiet", false, "print no words, results only")
	f.DurationVar(&a.common.timeout, "timeout", 10*time.Second, "`DURATION` how long to wait for one answer (10s)")
}

// outputFlags adds the flags of commands that print something.
func (a *app) outputFlags(c *cobra.Command) {
	c.Flags().BoolVar(&a.common.json, "json", false, "print JSON, errors too")
	a.colorFlag(c)
}

func (a *app) colorFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.common.color, "color", "auto", "`WHEN` use colour: auto, always or never")
}

// connect makes the client of the server that flags and variables name.
func (a *app) connect() (*api, error) {
	if _, err := a.colored(false); err != nil {
		return nil, err
	}
	if a.common.timeout <= 0 {
		return nil, usage("--timeout must be more than 0")
	}
	base, err := serverURL(cmp.Or(a.common.server, a.variable("HOLDFAST_SERVER"), "http://127.0.0.1:8000"))
	if err != nil {
		return nil, err
	}
	key, err := a.clientKey()
	if err != nil {
		return nil, err
	}
	return newAPI(base, key, a.common.timeout), nil
}

// serverURL accepts a URL, or HOST:PORT for plain HTTP.
func serverURL(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "http://" + text
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, usage("%q is no server; write for example --server http://127.0.0.1:8000", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// colored reports whether to colour a stream.
func (a *app) colored(terminal bool) (bool, error) {
	switch a.common.color {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto", "":
	default:
		return false, usage("--color is auto, always or never, not %q", a.common.color)
	}
	if a.variable("NO_COLOR") != "" {
		return false, nil
	}
	if force := a.variable("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true, nil
	}
	return terminal && a.variable("TERM") != "dumb", nil
}

// waited reports whether err says that a deadline has passed.
func waited(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err)
}
