package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// presenceAnswer is what the server tells of who is at a channel.
type presenceAnswer struct {
	Members []struct {
		User     string `json:"user"`
		Sessions int64  `json:"sessions"`
	} `json:"members"`
	Total *int64 `json:"total"`
}

func newPresence(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "presence CHANNEL",
		Short: "Show who is at a channel",
		Long: `Show the users who are at a channel, with their sessions. Channels tell
that where the server's --presence covers them.`,
		Example: `  holdfast presence room-1
  holdfast presence room-1 --json | jq .total`,
		DisableFlagsInUseLine: true,
		Args:                  oneChannel,
	}
	return a.client(c, a.runPresence)
}

func (a *app) runPresence(ctx context.Context, api *api, args []string) error {
	var raw json.RawMessage
	if err := api.call(ctx, http.MethodGet, channelPath(args[0], "presence"), nil, nil, nil, &raw); err != nil {
		return err
	}
	var answer presenceAnswer
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Total == nil {
		return notHoldfast(api)
	}
	if a.common.json {
		return a.printf("%s\n", strings.TrimSpace(string(raw)))
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, m := range answer.Members {
		fmt.Fprintf(w, "%s\t%s\n", otherwise(plainLine(m.User), "(anonymous)"), sessionCount(m.Sessions))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch more := *answer.Total - int64(len(answer.Members)); {
	case *answer.Total == 0:
		a.say("nobody is at %s", args[0])
	case more > 0:
		a.say("and %s more", grouped(more))
	}
	return nil
}
