// Command compare measures holdfast side by side with other WebSocket servers
// on this machine, in one run, with one and the same load, and writes a table.
//
//	cd bench && go run ./compare            # everything, about ten minutes
//	cd bench && go run ./compare -short     # tiny, to see that all of it works
//	cd bench && go run ./compare -servers holdfast -before DIR    # beside an earlier holdfast
//
// Every server is built here, runs as one process on the loopback network, and
// is loaded by the package internal/loadgen. A value is the median of several
// rounds, in which the servers take turns. Linux only: the processor time and
// the memory of the servers are read from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	servers, measurements, before string
	rounds                        int
	short                         bool
}

func compare(ctx context.Context) error {
	var opt options
	flag.StringVar(&opt.servers, "servers", "holdfast,nats,gorilla,node,floor", "which servers, by commas")
	flag.StringVar(&opt.measurements, "measure", "fanout,each,idle,channels,ndjson,stalled,storm,async,sync", "which measurements, by commas")
	flag.StringVar(&opt.before, "before", "", "the source `directory` of an earlier holdfast, measured beside this one")
	flag.IntVar(&opt.rounds, "rounds", 3, "how often each is measured; the median counts")
	flag.BoolVar(&opt.short, "short", false, "tiny sizes and one round: shows that it works, measures nothing")
	flag.Parse()
	if opt.short {
		opt.rounds = 1
	}
	bench, err := benchDir(ctx)
	if err != nil {
		return err
	}
	c := comparison{bench: bench, rounds: opt.rounds, sizes: fullSize, results: results{}}
	if opt.short {
		c.sizes = shortSize
	}
	c.servers, err = choose(servers(bench), opt.servers, func(s server) string { return s.name })
	if err != nil {
		return err
	}
	if opt.before != "" {
		source, err := filepath.Abs(opt.before)
		if err != nil {
			return err
		}
		c.servers = slices.Insert(c.servers, min(1, len(c.servers)), holdfast(bench, "before", "before", source))
	}
	c.measurements, err = choose(measurements, opt.measurements, func(m measurement) string { return m.name })
	if err != nil {
		return err
	}
	failed := c.run(ctx)
	out, err := os.Create(filepath.Join(bench, "out", "compare.md"))
	if err != nil {
		return errors.Join(failed, err)
	}
	defer out.Close()
	c.write(io.MultiWriter(os.Stdout, out), !opt.short)
	return failed
}

// choose picks what names lists, in the order in which all holds it.
func choose[T any](all []T, names string, name func(T) string) (chosen []T, err error) {
	wanted := strings.Split(names, ",")
	var known []string
	for _, one := range all {
		known = append(known, name(one))
		if slices.Contains(wanted, name(one)) {
			chosen = append(chosen, one)
		}
	}
	for _, w := range wanted {
		if !slices.Contains(known, w) {
			err = errors.Join(err, fmt.Errorf("%q is none of %s", w, strings.Join(known, ", ")))
		}
	}
	return chosen, err
}

// benchDir is the directory of this module.
func benchDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "holdfast.dev/holdfast/bench").Output()
	if err != nil {
		return "", fmt.Errorf("find the module of the benchmarks (run this inside bench/): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// comparison is one run of the command.
type comparison struct {
	bench        string
	rounds       int
	sizes        sizes
	servers      []server
	measurements []measurement
	results      results
}

// run builds and measures everything. What fails is told and left out of the
// table; the rest goes on.
func (c *comparison) run(ctx context.Context) error {
	var failed []error
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, "  failed:", err)
		failed = append(failed, err)
	}
	var built []server
	for _, s := range c.servers {
		fmt.Fprintln(os.Stderr, "build", s.name)
		if err := s.prepare(ctx, c.bench); err != nil {
			fail(err)
			continue
		}
		built = append(built, s)
	}
	for _, m := range c.measurements {
		for round := range c.rounds {
			for k := range built {
				s := &built[(k+round)%len(built)] // none is always the first
				if !m.appliesTo(s.name) || ctx.Err() != nil {
					continue
				}
				begun := time.Now()
				fmt.Fprintf(os.Stderr, "%s, %s, round %d of %d:", m.name, s.name, round+1, c.rounds)
				v, err := c.measure(ctx, m, s)
				if err != nil {
					fail(fmt.Errorf("%s of %s: %w", m.name, s.name, err))
					continue
				}
				c.results.add(s.name, v)
				fmt.Fprintf(os.Stderr, "%s (%.0f s)\n", v, time.Since(begun).Seconds())
			}
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// measure runs one measurement on a fresh process of a server.
func (c *comparison) measure(ctx context.Context, m measurement, s *server) (values, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	i, err := s.start(ctx, c.bench)
	if err != nil {
		return nil, err
	}
	defer i.stop()
	return m.run(ctx, i, c.sizes)
}

// write writes the table and what it was measured on.
func (c *comparison) write(w io.Writer, verdicts bool) {
	fmt.Fprintf(w, "\nMeasured on %s, %s, %d cores, %s; the median of %d rounds; in brackets the ratio to holdfast.\n\n",
		processor(), kernel(), runtime.NumCPU(), runtime.Version(), c.rounds)
	c.results.write(w, c.servers, c.sizes.rows(), verdicts)
}

// processor names this machine's processor.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	return "Linux " + version
}
