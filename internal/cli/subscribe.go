package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/wire"
)

// errEnough ends a subscription that has seen what it was to see.
var errEnough = errors.New("enough messages")

// errTimeUp ends a subscription after --for.
var errTimeUp = errors.New("time is up")

// subscribing is one run of the subscribe command.
type subscribing struct {
	*app
	count    int
	lasting  time.Duration
	token    string
	since    []string
	channels []string
	own      bool // the user's own channel too
	seen     int
	ndjson   bool
	greeted  bool
	colored  bool
}

func newSubscribe(a *app) *cobra.Command {
	s := &subscribing{app: a}
	c := &cobra.Command{
		Use:   "subscribe [CHANNEL…]",
		Short: "Print messages as they are published",
		Long: `Print the messages of channels as they are published; without CHANNEL,
those for every client. In a pipe, or with --json, each frame is a line of
JSON. A connection that is lost is made again and goes on behind the last
message; what is missing then is told as a gap.

ID is that of a message; of several channels, write CHANNEL:ID.`,
		Example: `  holdfast subscribe
  holdfast subscribe news prices
  holdfast subscribe news --since k3v9qd2x-41
  holdfast subscribe news | jq .data`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			for _, name := range args {
				if err := wire.CheckChannel(name); err != nil {
					return usage("%w", err)
				}
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&s.since, "since", nil, "`ID` begin behind this message (repeatable)")
	c.Flags().StringVar(&s.token, "token", "", "`TOKEN|@FILE` token to connect with; better @FILE")
	c.Flags().IntVar(&s.count, "count", 0, "`NUMBER` end after this many messages")
	c.Flags().DurationVar(&s.lasting, "for", 0, "`DURATION` end after this long; with 5 if --count was not reached")
	return a.client(c, s.run)
}

func (s *subscribing) run(ctx context.Context, api *api, args []string) error {
	if s.count < 0 || s.lasting < 0 {
		return usage("--count and --for can't be less than 0")
	}
	s.channels, s.own = listened(args), len(args) == 0
	at, err := beginnings(s.channels, s.since)
	if err != nil {
		return err
	}
	s.ndjson = s.common.json || !s.OutTerminal
	s.colored, _ = s.app.colored(s.OutTerminal)
	if s.lasting > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.lasting, errTimeUp)
		defer cancel()
	}
	err = (&stream{
		api:      api,
		token:    s.clientToken(s.token),
		channels: s.channels,
		places:   at,
		own:      s.own,
		frame:    s.frame,
		lost:     func(why string) { s.say("lost %s (%s); connecting again…", api.base, plainLine(why)) },
		found:    func(away time.Duration) { s.say("connected again after %s", span(away)) },
	}).run(ctx)
	switch {
	case errors.Is(err, errEnough):
		return nil
	case errors.Is(err, errTimeUp) && s.count == 0:
		return nil
	case errors.Is(err, errTimeUp):
		return &exitError{exitWaited, fmt.Errorf("%d of %d messages came within %s", s.seen, s.count, s.lasting)}
	}
	return err
}

// listened returns the channels to listen to: those named, once each, or
// broadcast, which stands first. It is named to the server too, since that is
// how its place is learnt.
func listened(args []string) []string {
	if len(args) == 0 {
		return []string{wire.Broadcast}
	}
	var channels []string
	for _, name := range args {
		switch {
		case slices.Contains(channels, name):
		case name == wire.Broadcast:
			channels = slices.Insert(channels, 0, name)
		default:
			channels = append(channels, name)
		}
	}
	return channels
}

// beginnings reads the values of --since: an id when there is one channel,
// CHANNEL:ID for each of several.
func beginnings(channels, since []string) (places, error) {
	at := places{}
	for _, text := range since {
		channel, digits := channels[0], text
		if i := strings.LastIndexByte(text, ':'); i >= 0 {
			channel, digits = text[:i], text[i+1:]
		} else if len(channels) > 1 {
			return nil, usage("--since %s: of which channel? Write CHANNEL:ID, for example --since %s:%s", plainLine(text), channels[0], plainLine(text))
		}
		id, err := wire.ParseID(digits)
		switch {
		case err != nil:
			return nil, usage("--since %s: %w", plainLine(text), err)
		case !slices.Contains(channels, channel):
			return nil, usage("--since %s: %s is not among the channels subscribed to", plainLine(text), plainLine(channel))
		case at[channel] != nil:
			return nil, usage("--since was given twice for %s", channel)
		}
		at.start(channel, id)
	}
	return at, nil
}

// listens reports whether frames of a channel are shown. Every client receives
// broadcasts and what is for its user; those who named channels see these only
// when they are among the named ones.
func (s *subscribing) listens(channel string) bool {
	return channel == "" || slices.Contains(s.channels, channel) || s.own && strings.HasPrefix(channel, wire.UserPrefix)
}

// frame prints one frame: messages for people, everything for machines.
func (s *subscribing) frame(head frameHead, text []byte) error {
	message := head.Type == "message"
	if !s.listens(head.Channel) {
		return nil
	}
	if s.ndjson && head.Type == "gap" {
		s.notice(head)
	}
	var err error
	switch {
	case s.ndjson:
		err = s.printf("%s\n", text)
	case message:
		err = s.printf("%s\n", messageLine(head, s.colored))
	default:
		s.notice(head)
	}
	if err != nil || !message {
		return err
	}
	if s.seen++; s.seen == s.count {
		return errEnough
	}
	return nil
}

// messageLine is a message for people.
func messageLine(head frameHead, colored bool) string {
	at := head.Time.Local().Format(time.TimeOnly)
	event := ""
	if head.Event != "" {
		event = plainLine(head.Event) + " "
	}
	id := ""
	if colored {
		id = "  " + paint(true, dim, plainLine(head.ID))
	}
	return fmt.Sprintf("%s %s  %s%s%s", paint(colored, dim, at), paint(colored, cyan, plainLine(head.Channel)), event, plainLine(string(head.Data)), id)
}

// notice tells people of the frames that are no messages but matter.
func (s *subscribing) notice(head frameHead) {
	switch head.Type {
	case "welcome":
		if !s.greeted {
			s.say("listening to %s; Ctrl+C ends", strings.Join(s.channels, ", "))
		}
		s.greeted = true
	case "error":
		s.say("%s: %s", plainLine(head.Code), plainLine(head.Message))
	case "gap":
		s.say("gap in %s behind %s: %s", plainLine(head.Channel), plainLine(otherwise(head.After, "the start")), gapReason(head.Reason))
	case "unsubscribed":
		s.say("no longer subscribed to %s %s", plainLine(head.Channel), plainLine(head.Reason))
	case "draining":
		if head.Reason == wire.DrainCalledOff {
			s.say("the server serves on after all")
		} else {
			s.say("the server is draining; this goes on until it ends")
		}
	}
}

// gapReason says in words why messages are missing.
func gapReason(reason string) string {
	switch reason {
	case "expired":
		return "messages are missing that the server keeps no longer"
	case "restarted":
		return "messages may be missing, the server lost what it had"
	case "too_slow":
		return "messages are missing, this client was too slow"
	}
	return "messages are missing (" + plainLine(reason) + ")"
}
