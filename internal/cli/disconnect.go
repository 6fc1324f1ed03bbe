package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/wire"
)

// disconnecting is one run of the disconnect command.
type disconnecting struct {
	*app
	user   string
	revoke bool
}

func newDisconnect(a *app) *cobra.Command {
	d := &disconnecting{app: a}
	c := &cobra.Command{
		Use:   "disconnect SESSION | --user USER",
		Short: "Close a session, or all sessions of a user",
		Long: `Close a session, or all sessions of a user. Their clients stay away, but
nothing keeps them from coming back; with --revoke, the tokens that they
came with are not taken any more either.`,
		Example: `  holdfast disconnect 00f3a91c5be21d77
  holdfast disconnect --user ann
  holdfast disconnect --user ann --revoke`,
		DisableFlagsInUseLine: true,
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if (d.user != "") == (len(args) == 1) || len(args) > 1 {
			return usage("%s wants a SESSION, or --user USER. Examples: %[1]s --help", c.CommandPath())
		}
		return nil
	}
	c.Flags().StringVar(&d.user, "user", "", "`USER` close all sessions of this user")
	c.Flags().BoolVar(&d.revoke, "revoke", false, "revoke the tokens too")
	return a.client(c, d.run)
}

func (d *disconnecting) run(ctx context.Context, api *api, args []string) error {
	query := url.Values{}
	if d.revoke {
		query.Set("revoke", "true")
	}
	var path string
	var header http.Header
	var body io.Reader
	if d.user != "" {
		if err := wire.CheckChannel(wire.UserPrefix + d.user); err != nil {
			return usage("%q can't be a user: %w", d.user, err)
		}
		path = "/v1/users/" + url.PathEscape(d.user) + "/sessions"
		header, body = http.Header{"Content-Type": {"application/json"}}, strings.NewReader(`{"confirm":true}`)
	} else {
		path = "/v1/sessions/" + url.PathEscape(args[0])
	}
	var raw json.RawMessage
	if err := api.call(ctx, http.MethodDelete, path, query, header, body, &raw); err != nil {
		return err
	}
	var answer struct {
		Disconnected *int64 `json:"disconnected"`
	}
	switch err := json.Unmarshal(raw, &answer); {
	case err != nil || answer.Disconnected == nil:
		return notHoldfast(api)
	case d.common.json:
		return d.printf("%s\n", strings.TrimSpace(string(raw)))
	case d.common.quiet:
		return nil
	}
	if err := d.printf("%s closed\n", sessionCount(*answer.Disconnected)); err != nil {
		return err
	}
	if d.revoke {
		d.say("tokens revoked; this server takes them no more")
	}
	return nil
}

func sessionCount(n int64) string {
	if n == 1 {
		return "1 session"
	}
	return grouped(n) + " sessions"
}
