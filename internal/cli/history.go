package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/wire"
)

// looking is one run of the history command.
type looking struct {
	*app
	since string
	limit int
}

// historyAnswer is what the server tells of a channel's history.
type historyAnswer struct {
	Messages []json.RawMessage `json:"messages"`
	Complete *bool             `json:"complete"`
	Next     string            `json:"next"`
}

func newHistory(a *app) *cobra.Command {
	l := &looking{app: a}
	c := &cobra.Command{
		Use:   "history CHANNEL",
		Short: "Print the messages that a channel still holds",
		Long: `Print the messages that a channel still holds, oldest first. In a pipe each
is a line of JSON; with --json it is the server's answer as it stands.`,
		Example: `  holdfast history news
  holdfast history news --since k3v9qd2x-41 --limit 10
  holdfast history news | jq .data`,
		DisableFlagsInUseLine: true,
		Args:                  oneChannel,
	}
	c.Flags().StringVar(&l.since, "since", "", "`ID` only what came behind this message")
	c.Flags().IntVar(&l.limit, "limit", 0, "`NUMBER` at most so many messages")
	return a.client(c, l.run)
}

// oneChannel is the rule for the arguments of a command about one channel.
func oneChannel(c *cobra.Command, args []string) error {
	if err := arguments(1, 1, "one CHANNEL")(c, args); err != nil {
		return err
	}
	if err := wire.CheckChannel(args[0]); err != nil {
		return usage("%w", err)
	}
	return nil
}

func (l *looking) run(ctx context.Context, api *api, args []string) error {
	query := url.Values{}
	if l.since != "" {
		if _, err := wire.ParseID(l.since); err != nil {
			return usage("--since %s: %w", plainLine(l.since), err)
		}
		query.Set("since", l.since)
	}
	switch {
	case l.limit < 0:
		return usage("--limit can't be less than 0")
	case l.limit > 0:
		query.Set("limit", strconv.Itoa(l.limit))
	}
	channel := args[0]
	var raw json.RawMessage
	if err := api.call(ctx, http.MethodGet, channelPath(channel, "messages"), query, nil, nil, &raw); err != nil {
		return err
	}
	var answer historyAnswer
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Complete == nil {
		return notHoldfast(api)
	}
	if l.common.json {
		return l.printf("%s\n", strings.TrimSpace(string(raw)))
	}
	return l.print(channel, answer)
}

// print writes the messages as subscribe does, and in words what is missing.
func (l *looking) print(channel string, answer historyAnswer) error {
	if l.since != "" && !*answer.Complete {
		l.say("gap in %s behind %s: %s", channel, l.since, gapReason(l.lost(answer.Next)))
	}
	colored, _ := l.colored(l.OutTerminal)
	for _, text := range answer.Messages {
		var head frameHead
		err := json.Unmarshal(text, &head)
		switch {
		case err != nil:
			return fmt.Errorf("a message is not as holdfast writes them: %w", err)
		case l.OutTerminal:
			err = l.printf("%s\n", messageLine(head, colored))
		default:
			err = l.printf("%s\n", text)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !l.OutTerminal:
	case len(answer.Messages) == 0:
		l.say("%s holds no such message", channel)
	case answer.Next != "":
		l.say("go on from here: holdfast subscribe %s --since %s", channel, plainLine(answer.Next))
	}
	return nil
}

// lost returns the reason of a gap before next.
func (l *looking) lost(next string) string {
	since, _ := wire.ParseID(l.since)
	if id, err := wire.ParseID(next); err == nil && id.Epoch != since.Epoch {
		return "restarted"
	}
	return "expired"
}

// channelPath is the path of what belongs to a channel.
func channelPath(channel, part string) string {
	return "/v1/channels/" + url.PathEscape(channel) + "/" + part
}

// notHoldfast is the error for an answer that no holdfast gives.
func notHoldfast(api *api) error {
	return fmt.Errorf("%s did not answer as holdfast does. Is --server right?", api.base)
}
