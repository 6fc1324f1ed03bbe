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
	channels []string
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
JSON. A connection that is lost is made again.`,
		Example: `  holdfast subscribe
  holdfast subscribe news prices
  holdfast subscribe news --count 1 --for 30s
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
	c.Flags().IntVar(&s.count, "count", 0, "`NUMBER` end after this many messages")
	c.Flags().DurationVar(&s.lasting, "for", 0, "`DURATION` end after this long; with 5 if --count was not reached")
	return a.client(c, s.run)
}

func (s *subscribing) run(ctx context.Context, api *api, args []string) error {
	if s.count < 0 || s.lasting < 0 {
		return usage("--count and --for can't be less than 0")
	}
	s.channels = args
	s.ndjson = s.common.json || !s.OutTerminal
	s.colored, _ = s.app.colored(s.OutTerminal)
	if s.lasting > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.lasting, errTimeUp)
		defer cancel()
	}
	err := (&stream{
		api:      api,
		channels: slices.DeleteFunc(slices.Clone(args), func(name string) bool { return name == wire.Broadcast }),
		frame:    s.frame,
		lost:     func(why string) { s.say("lost %s (%s); connecting again…", api.base, plainLine(why)) },
		found: func(away time.Duration) {
			s.say("connected again after %s; what was published meanwhile is missing", span(away))
		},
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

// frame prints one frame: messages for people, everything for machines.
// Every client receives broadcasts; those who named channels see them only
// when broadcast is among these.
func (s *subscribing) frame(head frameHead, text []byte) error {
	message := head.Type == "message"
	if message && len(s.channels) > 0 && !slices.Contains(s.channels, head.Channel) {
		return nil
	}
	var err error
	switch {
	case s.ndjson:
		err = s.printf("%s\n", text)
	case message:
		err = s.message(head)
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

func (s *subscribing) message(head frameHead) error {
	at := head.Time.Local().Format(time.TimeOnly)
	event := ""
	if head.Event != "" {
		event = plainLine(head.Event) + " "
	}
	id := ""
	if s.colored {
		id = "  " + paint(true, dim, plainLine(head.ID))
	}
	return s.printf("%s %s  %s%s%s\n", paint(s.colored, dim, at), paint(s.colored, cyan, plainLine(head.Channel)), event, plainLine(string(head.Data)), id)
}

// notice tells people of the frames that are no messages but matter.
func (s *subscribing) notice(head frameHead) {
	switch head.Type {
	case "welcome":
		if !s.greeted {
			s.say("listening to %s; Ctrl+C ends", otherwise(strings.Join(s.channels, ", "), wire.Broadcast))
		}
		s.greeted = true
	case "error":
		s.say("%s: %s", plainLine(head.Code), plainLine(head.Message))
	case "gap":
		s.say("gap in %s (%s): messages are missing here", plainLine(head.Channel), plainLine(head.Reason))
	case "unsubscribed":
		s.say("no longer subscribed to %s %s", plainLine(head.Channel), plainLine(head.Reason))
	case "draining":
		s.say("the server is draining; this goes on until it ends")
	}
}
