package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"holdfast.dev/holdfast/internal/loadgen"
)

// server is one of those compared.
type server struct {
	name  string // as the table and the flag -servers say it
	title string
	build []command
	run   command

	dialect func(host string) loadgen.Dialect
	publish func(ctx context.Context, i *instance) (loadgen.Publisher, error)
}

// command is a program with its arguments and the directory, inside bench/, in
// which it is run.
type command struct {
	dir  string
	args []string
}

// bin is where built programs lie, seen from bench/.
const bin = "out/bin"

func goServer(name, title string) server {
	return server{
		name: name, title: title,
		build: []command{{args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin + "/" + name, "./" + name}}},
		run:   command{args: []string{bin + "/" + name}},
	}
}

// servers is all that are compared, holdfast first: the others are put in
// relation to it.
func servers() []server {
	plainly := func(s server) server {
		s.dialect = func(host string) loadgen.Dialect { return plain{host} }
		s.publish = func(_ context.Context, i *instance) (loadgen.Publisher, error) { return dialLines(i.control) }
		return s
	}
	holdfast := server{
		name: "holdfast", title: "**holdfast**",
		build:   []command{{dir: "..", args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "bench/" + bin + "/holdfast", "./cmd/holdfast"}}},
		dialect: func(host string) loadgen.Dialect { return loadgen.Holdfast{Host: host} },
		publish: func(ctx context.Context, i *instance) (loadgen.Publisher, error) {
			return loadgen.NewStream(ctx, "http://"+i.web.String(), "")
		},
	}
	nats := goServer("nats", "nats-server 2.15")
	nats.dialect = func(host string) loadgen.Dialect { return natsDialect{host} }
	nats.publish = func(_ context.Context, i *instance) (loadgen.Publisher, error) { return dialNATS(i.control) }
	node := plainly(server{
		name: "node", title: "Node `ws`",
		build: []command{{dir: "node", args: []string{"npm", "ci", "--no-audit", "--no-fund"}}},
		run:   command{dir: "node", args: []string{"node", "server.js"}},
	})
	floor := plainly(server{
		name: "floor", title: "C loop of `send(2)`",
		build: []command{{args: []string{"cc", "-O2", "-o", bin + "/floor", "floor/floor.c"}}},
		run:   command{args: []string{bin + "/floor"}},
	})
	return []server{holdfast, nats, plainly(goServer("gorilla", "gorilla/websocket")), node, floor}
}

// prepare builds the server's program.
func (s *server) prepare(ctx context.Context, bench string) error {
	if err := os.MkdirAll(filepath.Join(bench, bin), 0o755); err != nil {
		return err
	}
	for _, c := range s.build {
		cmd := c.in(ctx, bench)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %v: %w\n%s", s.name, c.args, err, out)
		}
	}
	return nil
}

func (c command) in(ctx context.Context, bench string) *exec.Cmd {
	name := c.args[0]
	if filepath.Dir(name) != "." {
		name = filepath.Join(bench, name)
	}
	cmd := exec.CommandContext(ctx, name, c.args[1:]...)
	cmd.Dir = filepath.Join(bench, c.dir)
	return cmd
}

// instance is a server that runs.
type instance struct {
	*server
	cmd          *exec.Cmd
	errors       string // the file that its standard error goes to
	web, control netip.AddrPort
}

func (i *instance) process() loadgen.Process { return loadgen.Process(i.cmd.Process.Pid) }

// start runs the server and waits until it listens. It ends with ctx or stop.
func (s *server) start(ctx context.Context, bench string) (*instance, error) {
	i := &instance{server: s, errors: filepath.Join(bench, "out", s.name+".log")}
	log, err := os.Create(i.errors)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if s.name == "holdfast" {
		err = i.startHoldfast(ctx, bench, log)
	} else {
		err = i.startPrinting(ctx, bench, log)
	}
	if err != nil {
		i.stop()
		return nil, fmt.Errorf("start %s (its output: %s): %w", s.name, i.errors, err)
	}
	return i, nil
}

// startPrinting runs a server that prints its addresses.
func (i *instance) startPrinting(ctx context.Context, bench string, log io.Writer) error {
	i.cmd = i.run.in(ctx, bench)
	i.cmd.Stderr = log
	out, err := i.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := i.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	var web, control string
	if _, err := fmt.Sscanf(line, "ws %s control %s", &web, &control); err != nil {
		return fmt.Errorf("it printed %q: %w", line, err)
	}
	i.web, err = netip.ParseAddrPort(web)
	if err == nil {
		i.control, err = netip.ParseAddrPort(control)
	}
	return err
}

// quiet is holdfast's configuration: no schedule, so that nothing but the load is
// published, and no bound on new clients a second, which the others lack.
const quiet = "schedules: []\nmax-connect-rate: 1000000\n"

// startHoldfast runs holdfast on a free port until it says that it is ready.
func (i *instance) startHoldfast(ctx context.Context, bench string, log io.Writer) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	free.Close()
	i.web = netip.MustParseAddrPort(free.Addr().String())
	config := filepath.Join(bench, "out", "holdfast.yaml")
	if err := os.WriteFile(config, []byte(quiet), 0o644); err != nil {
		return err
	}
	i.cmd = command{args: []string{bin + "/holdfast", "serve", "--listen", i.web.String(), "--config", config}}.in(ctx, bench)
	i.cmd.Stdout, i.cmd.Stderr = log, log
	if err := i.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		resp, err := http.Get("http://" + i.web.String() + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it did not get ready in 10 s: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the process and waits for its end.
func (i *instance) stop() {
	if i.cmd != nil && i.cmd.Process != nil {
		i.cmd.Process.Kill()
		i.cmd.Wait()
	}
}
