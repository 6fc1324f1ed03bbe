package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"holdfast.dev/holdfast/internal/loadgen"
)

// turns is how often two servers take turns while they are held against each
// other: what else the machine does then falls on both.
const turns = 4

// scratch makes a folder for a journal, below dir, and removes it after fn.
func scratch(dir string, fn func(folder string) error) error {
	folder, err := os.MkdirTemp(dir, "holdfast-journal-")
	if err != nil {
		return err
	}
	return errors.Join(fn(folder), os.RemoveAll(folder))
}

// journalled runs fn with a second holdfast beside i, one that keeps a journal.
func (i *instance) journalled(ctx context.Context, fn func(with *instance) error) error {
	return scratch(filepath.Join(i.bench, "out"), func(folder string) error {
		with, err := i.beside(ctx, "--data", folder)
		if err != nil {
			return err
		}
		defer with.stop()
		return fn(with)
	})
}

// async holds a server with a journal against one without: fan-out at full
// speed, and publishes that nobody listens to, to one channel and to many.
func async(ctx context.Context, i *instance, sz sizes) (values, error) {
	v := values{}
	err := i.journalled(ctx, func(with *instance) error { return fanOutBoth(ctx, i, with, sz, v) })
	if err != nil {
		return nil, fmt.Errorf("fan-out: %w", err)
	}
	for key, n := range map[string]int{"one": 1, "many": sz.linesChannels} {
		var channels []string
		for k := range n {
			channels = append(channels, fmt.Sprintf("nobody-%d", k))
		}
		err := i.journalled(ctx, func(with *instance) error { return linesBoth(ctx, i, with, sz, channels, "async "+key, v) })
		if err != nil {
			return nil, fmt.Errorf("%d channels: %w", n, err)
		}
	}
	return v, nil
}

// pair is what two servers achieved in turns: counts of the same thing and the
// time that each had.
type pair struct {
	count [2]uint64
	took  [2]time.Duration
}

// alternate gives each of two servers its turns. turn reports how much it did.
func alternate(lasting time.Duration, turn func(server int, lasting time.Duration) (uint64, error)) (p pair, err error) {
	for k := range 2 * turns {
		server := (k + k/2) % 2 // 0 1 1 0 0 1 1 0
		begun := time.Now()
		n, err := turn(server, lasting/turns)
		if err != nil {
			return p, err
		}
		p.count[server] += n
		p.took[server] += time.Since(begun)
	}
	return p, nil
}

// rate is how much a server did in a second.
func (p pair) rate(server int) float64 { return float64(p.count[server]) / p.took[server].Seconds() }

// into notes the second server's rate, and its ratio to the first's.
func (p pair) into(v values, key string) {
	v[key+" rate"] = p.rate(1)
	v[key+" ratio"] = p.rate(1) / p.rate(0)
}

// fanOutBoth publishes at full speed to many clients of two servers in turns.
func fanOutBoth(ctx context.Context, without, journal *instance, sz sizes, v values) error {
	opt := loadgen.FleetOptions{Clients: sz.fanClients}
	return with(ctx, without, opt, broadcast, sz.fanSize, func(a load) error {
		return with(ctx, journal, opt, broadcast, sz.fanSize, func(b load) error {
			window, loads := loadgen.Window(sz.fanSize), []load{a, b}
			for _, l := range loads {
				if err := l.feed.Ahead(ctx, window, sz.fanWarm, 0); err != nil {
					return err
				}
			}
			p, err := alternate(sz.fanFor, func(k int, lasting time.Duration) (uint64, error) {
				s, err := loads[k].during(func() error { return loads[k].feed.Ahead(ctx, window, 0, lasting) })
				return s.delivered, err
			})
			p.into(v, "async fan")
			return err
		})
	})
}

// linesBoth publishes NDJSON that nobody listens to, to two servers in turns.
func linesBoth(ctx context.Context, without, journal *instance, sz sizes, channels []string, key string, v values) error {
	p, err := alternate(2*sz.linesFor, func(k int, lasting time.Duration) (uint64, error) {
		return []*instance{without, journal}[k].lines(ctx, channels, sz.fanSize, lasting)
	})
	p.into(v, key)
	return err
}
