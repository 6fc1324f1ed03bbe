package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/wire"
)

// publishing is one run of the publish command.
type publishing struct {
	*app
	event string
	key   string
	lines bool
}

// receipt is the server's answer to one message: published or not.
type receipt struct {
	Channel     string     `json:"channel"`
	ID          string     `json:"id"`
	Subscribers int64      `json:"subscribers"`
	Duplicate   bool       `json:"duplicate"`
	Error       *errorBody `json:"error"`
}

func newPublish(a *app) *cobra.Command {
	p := &publishing{app: a}
	c := &cobra.Command{
		Use:   "publish [CHANNEL] DATA",
		Short: "Publish a message",
		Long: `Publish a message to a channel, or to every client without CHANNEL.

DATA is JSON if it parses, else a string. With - it is read from standard
input; with --lines each line there is a message of its own.`,
		Example: `  holdfast publish "hi"
  holdfast publish news '{"price":12}' --event tick
  holdfast publish orders '{"id":7}' --key order-7
  tail -f prices.ndjson | holdfast publish news --lines`,
		DisableFlagsInUseLine: true,
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if p.lines {
			return arguments(0, 1, "at most a CHANNEL with --lines")(c, args)
		}
		return arguments(1, 2, "[CHANNEL] DATA")(c, args)
	}
	c.Flags().StringVar(&p.event, "event", "", "`NAME` the message's event")
	c.Flags().StringVar(&p.key, "key", "", "`TEXT` the same within 2 minutes is published once")
	c.Flags().BoolVar(&p.lines, "lines", false, "publish each line of standard input")
	return a.client(c, p.run)
}

func (p *publishing) run(ctx context.Context, api *api, args []string) error {
	channel := wire.Broadcast
	if len(args) == 2 || p.lines && len(args) == 1 {
		channel = args[0]
	}
	if err := wire.CheckChannel(channel); err != nil {
		return usage("%w", err)
	}
	if err := wire.CheckEvent(p.event); err != nil {
		return usage("%w", err)
	}
	if err := wire.CheckKey(p.key); err != nil {
		return usage("%w", err)
	}
	if p.lines && p.key != "" {
		return usage("--key names one message; --lines publishes many")
	}
	if p.lines {
		return p.stream(ctx, api, channel)
	}
	text := []byte(args[len(args)-1])
	if string(text) == "-" {
		var err error
		if text, err = readAll(ctx, p.In); err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		text = bytes.TrimRight(text, "\r\n")
	}
	return p.one(ctx, api, channel, asJSON(text))
}

// asJSON returns text itself when it is JSON, else as a JSON string.
func asJSON(text []byte) []byte {
	if wire.CheckJSON(text) == nil {
		return text
	}
	return wire.AppendString(nil, string(text))
}

// one publishes a single message and prints its receipt.
func (p *publishing) one(ctx context.Context, api *api, channel string, data []byte) error {
	query := url.Values{}
	if p.event != "" {
		query.Set("event", p.event)
	}
	var answer json.RawMessage
	path := channelPath(channel, "messages")
	header := http.Header{"Content-Type": {"application/json"}}
	if p.key != "" {
		header.Set("Idempotency-Key", p.key)
	}
	if err := api.call(ctx, http.MethodPost, path, query, header, bytes.NewReader(data), &answer); err != nil {
		return err
	}
	var r receipt
	if err := json.Unmarshal(answer, &r); err != nil || r.ID == "" {
		return notHoldfast(api)
	}
	if err := p.printReceipt(r, answer); err != nil {
		return err
	}
	switch {
	case r.Duplicate:
		p.say("published before with this key; nothing was sent again")
	case r.Subscribers == 0:
		p.hint(ctx, api, channel)
	}
	return nil
}

func (p *publishing) printReceipt(r receipt, answer []byte) error {
	switch {
	case p.common.json:
		return p.printf("%s\n", bytes.TrimSpace(answer))
	case p.common.quiet:
		return nil
	}
	if r.Duplicate {
		return p.printf("%s\n", plainLine(r.ID))
	}
	return p.printf("%s  %s received\n", plainLine(r.ID), grouped(r.Subscribers))
}

// readAll is io.ReadAll that ctx can end. The reader is left to itself then:
// standard input can't be interrupted.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	results := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(r)
		results <- result{text, err}
	}()
	select {
	case r := <-results:
		return r.text, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
