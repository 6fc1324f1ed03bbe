package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"holdfast.dev/holdfast/internal/loadgen"
)

// server is one of those compared.
type server struct {
	name  string // as the table and the flag -servers say it
	title string
	build []command
	run   command
	serve []string // flags of a holdfast; nil for the others

	dialect func(host string) loadgen.Dialect
	publish func(ctx context.Context, i *instance) (loadgen.Publisher, error)
}

// command is a program with its arguments and the directory in which it is
// run, seen from bench/.
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
// relation to it. bench is the directory of this module.
func servers(bench string) []server {
	plainly := func(s server) server {
		s.dialect = func(host string) loadgen.Dialect { return plain{host} }
		s.publish = func(_ context.Context, i *instance) (loadgen.Publisher, error) { return dialLines(i.control) }
		return s
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
	return []server{holdfast(bench, "holdfast", "**holdfast**", ".."), nats, plainly(goServer("gorilla", "gorilla/websocket")), node, floor}
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
		name = within(bench, name)
	}
	cmd := exec.CommandContext(ctx, name, c.args[1:]...)
	cmd.Dir = within(bench, c.dir)
	return cmd
}

// within is a path as seen from a directory.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// instance is a server that runs.
type instance struct {
	*server
	bench        string // the directory of this module
	cmd          *exec.Cmd
	errors       string // the file that its standard error goes to
	web, control netip.AddrPort
}

func (i *instance) process() loadgen.Process { return loadgen.Process(i.cmd.Process.Pid) }

// start runs the server and waits until it listens. It ends with ctx or stop.
func (s *server) start(ctx context.Context, bench string) (*instance, error) {
	i := &instance{server: s, bench: bench, errors: filepath.Join(bench, "out", s.name+".log")}
	log, err := os.Create(i.errors)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if s.serve != nil {
		err = i.startHoldfast(ctx, log)
	} else {
		err = i.startPrinting(ctx, log)
	}
	if err != nil {
		i.stop()
		return nil, fmt.Errorf("start %s (its output: %s): %w", s.name, i.errors, err)
	}
	return i, nil
}

// startPrinting runs a server that prints its addresses.
func (i *instance) startPrinting(ctx context.Context, log io.Writer) error {
	i.cmd = i.run.in(ctx, i.bench)
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

// stop ends the process and waits for its end.
func (i *instance) stop() {
	if i.cmd != nil && i.cmd.Process != nil {
		i.cmd.Process.Kill()
		i.cmd.Wait()
	}
}
