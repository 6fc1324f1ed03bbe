package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// draining is one run of a drain command.
type draining struct {
	*app
	limit time.Duration
	watch bool
	wait  bool
}

func newDrain(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "drain COMMAND",
		Short: "End the server without cutting anybody off",
		Long: `End the server without cutting anybody off: it serves on until every client
has left or the limit is over, then closes those that remain, one after the
other. SIGTERM does the same.`,
		Example: `  holdfast drain start --limit 10m --watch
  holdfast drain status
  holdfast drain cancel`,
		Args: knownCommand,

		DisableFlagsInUseLine: true,
	}
	c.Run = a.help
	c.AddCommand(newDrainStart(a), newDrainStatus(a), newDrainCancel(a))
	return c
}

func newDrainStart(a *app) *cobra.Command {
	d := &draining{app: a}
	c := &cobra.Command{
		Use:   "start",
		Short: "Begin a drain, or give the one that goes on another limit",
		Long: `Begin a drain. While one goes on, --limit gives it another limit, counted from
now. The server's process ends when the drain is over.`,
		Example: `  holdfast drain start
  holdfast drain start --limit 10m --watch
  holdfast drain start --wait && deploy`,
		Args: arguments(0, 0, "flags only"),
	}
	c.Flags().DurationVar(&d.limit, "limit", 0, "`DURATION` how long clients may stay (the server's --drain-limit)")
	c.Flags().BoolVar(&d.watch, "watch", false, "show how it goes until it is over")
	c.Flags().BoolVar(&d.wait, "wait", false, "wait in silence until it is over")
	return a.client(c, d.start)
}

func newDrainStatus(a *app) *cobra.Command {
	d := &draining{app: a}
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how the drain stands",
		Example: `  holdfast drain status
  holdfast drain status --watch
  holdfast drain status --json | jq .remaining`,
		Args: arguments(0, 0, "flags only"),
	}
	c.Flags().BoolVar(&d.watch, "watch", false, "show how it goes until it is over")
	return a.client(c, d.status)
}

func newDrainCancel(a *app) *cobra.Command {
	d := &draining{app: a}
	c := &cobra.Command{
		Use:   "cancel",
		Short: "Call the drain off: the server serves on",
		Example: `  holdfast drain cancel
  holdfast drain cancel --server http://10.0.0.7:8000 --api-key @key`,
		Args: arguments(0, 0, "flags only"),
	}
	return a.client(c, d.cancel)
}

func (d *draining) start(ctx context.Context, api *api, _ []string) error {
	query := url.Values{}
	switch {
	case d.watch && d.wait:
		return usage("--watch shows how it goes and --wait does not; give one of them")
	case d.limit > 0:
		query.Set("limit", d.limit.String())
	case d.limit < 0:
		return usage("--limit must be more than 0")
	}
	header, body := http.Header{"Content-Type": {"application/json"}}, strings.NewReader(`{"confirm":true}`)
	p, err := d.call(ctx, api, http.MethodPost, query, header, body)
	switch {
	case err != nil:
		return err
	case d.watch || d.wait:
		return d.follow(ctx, api, true)
	}
	if err := d.print(p); err != nil || d.common.json {
		return err
	}
	d.say("Watch it: holdfast drain status --watch. Call it off: holdfast drain cancel")
	return nil
}

func (d *draining) status(ctx context.Context, api *api, _ []string) error {
	if d.watch {
		return d.follow(ctx, api, false)
	}
	p, err := d.call(ctx, api, http.MethodGet, nil, nil, nil)
	if err != nil {
		return err
	}
	return d.print(p)
}

func (d *draining) cancel(ctx context.Context, api *api, _ []string) error {
	p, err := d.call(ctx, api, http.MethodDelete, nil, nil, nil)
	if err != nil {
		return err
	}
	if d.common.json {
		return d.print(p)
	}
	return d.printf("called off: serving on, %s\n", sessionCount(p.Remaining))
}

// call makes one call of the drain's.
func (d *draining) call(ctx context.Context, api *api, method string, query url.Values, header http.Header, body io.Reader) (p drainProgress, err error) {
	if err := api.call(ctx, method, "/v1/drain", query, header, body, &p.raw); err != nil {
		return p, err
	}
	if json.Unmarshal(p.raw, &p) != nil || p.State == "" {
		return p, notHoldfast(api)
	}
	return p, nil
}

// print shows how the drain stands, once.
func (d *draining) print(p drainProgress) error {
	if d.common.json {
		return d.printf("%s\n", p.json())
	}
	return d.printf("%s\n", strings.Join(p.lines(), "\n"))
}
