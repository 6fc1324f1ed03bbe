package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/loadgen"
)

// benching is one run of the bench command.
type benching struct {
	*app
	opt loadgen.Options
}

func newBench(a *app) *cobra.Command {
	b := &benching{app: a}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Put a server under load and check every message",
		Long: `Put a server under load: connect many clients, publish numbered messages to
them on a channel of their own, and check that each client gets every one, once
and in order. Memory and CPU are those of the server's process, when it runs on
this machine; memory is told best by a server that has just started. The exit
code is 1 if a message was lost, repeated or out of order.`,
		Example: `  holdfast bench --clients 10000
  holdfast bench --clients 1000 --rate 0             at full speed
  holdfast bench --clients 2000 --channels 200000    one subscriber each
  holdfast bench --clients 0 --rate 0                only publish`,
		Args: arguments(0, 0, "flags only"),
		RunE: b.run,
	}
	f := c.Flags()
	f.StringVar(&b.opt.URL, "url", "", "`URL` the server's WebSocket (ws://127.0.0.1:8000/ws)")
	f.StringVar(&a.common.key, "api-key", "", "`KEY|@FILE` key to publish with; better @FILE")
	f.IntVar(&b.opt.Clients, "clients", 1000, "`N` clients that receive (1000); 0: only publish")
	f.Float64Var(&b.opt.Rate, "rate", 100, "`N` messages a second (100); 0: as fast as clients receive")
	f.IntVar(&b.opt.Size, "size", 128, "`BYTES` of a message's data (128)")
	f.DurationVar(&b.opt.Duration, "duration", 10*time.Second, "`DURATION` how long to publish (10s)")
	f.IntVar(&b.opt.Channels, "channels", 0, "`N` channels with one subscriber each, instead of one for all")
	f.IntVar(&b.opt.Stalled, "stalled", 0, "`N` further clients that connect and then read nothing")
	f.IntVar(&b.opt.PID, "pid", 0, "`PID` the server's process, if it can't be asked for it")
	a.outputFlags(c)
	return c
}

func (b *benching) run(c *cobra.Command, _ []string) error {
	key, err := b.clientKey()
	if err != nil {
		return err
	}
	b.opt.APIKey = key.Reveal()
	b.opt.URL = cmp.Or(b.opt.URL, webSocketOf(b.variable("HOLDFAST_SERVER")), "ws://127.0.0.1:8000/ws")
	if err := b.opt.Validate(); err != nil {
		return usage("%w", err)
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if b.ErrTerminal && !b.common.json {
		b.opt.Progress = b.progress
	}
	report, err := loadgen.Bench(ctx, b.opt)
	if b.opt.Progress != nil {
		fmt.Fprint(b.Err, "\r\x1b[K")
	}
	if _, unreachable := errors.AsType[*net.OpError](err); unreachable && report.Connected == 0 {
		return &exitError{exitUnreachable, err}
	}
	return errors.Join(b.print(report, err), err)
}

// webSocketOf is the WebSocket URL of the server whose HTTP URL is given.
func webSocketOf(server string) string {
	if server == "" {
		return ""
	}
	if _, rest, ok := strings.Cut(server, "://"); ok {
		server = strings.Replace(server[:len(server)-len(rest)], "http", "ws", 1) + rest
	} else {
		server = "ws://" + server
	}
	return strings.TrimRight(server, "/") + "/ws"
}

// print writes the report, unless there is an error and nothing to report.
func (b *benching) print(report *loadgen.Report, failed error) error {
	if failed != nil && report.Connected == 0 {
		return nil
	}
	var err error
	if b.common.json {
		err = json.NewEncoder(b.Out).Encode(report)
	} else {
		if report.Stopped {
			b.say("ended early; this is what was seen until then")
		}
		err = report.WriteTable(b.Out)
	}
	if err == nil && !report.Clean() {
		err = &exitError{exitFailed, fmt.Errorf("%d messages lost, %d repeated, %d out of order",
			report.Lost, report.Repeated, report.OutOfOrder)}
	}
	return err
}

// progress draws the state of the bench over the line that it drew before.
func (b *benching) progress(p loadgen.Progress) {
	const width = 24
	full := int(p.Share * width)
	line := fmt.Sprintf("%-21s [%s%s]  %s clients", p.Phase, strings.Repeat("#", full), strings.Repeat(".", width-full), grouped(int64(p.Ready)))
	if p.Published > 0 {
		line += fmt.Sprintf(", %s published, %s delivered", grouped(int64(p.Published)), grouped(int64(p.Delivered)))
	}
	fmt.Fprintf(b.Err, "\r\x1b[K%s", line)
}
