package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast.dev/holdfast/internal/engine"
	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// memoryFolder is a folder in memory, where a sync takes no time: it shows what
// is left when the disk is not what is waited for.
const memoryFolder = "/dev/shm"

// syncing measures publishers that each wait for their acknowledgement, which
// comes when the message is on the disk: over HTTP, and at the engine itself,
// on this disk and in memory.
func syncing(ctx context.Context, i *instance, sz sizes) (values, error) {
	v := values{}
	rate, err := i.overHTTP(ctx, sz)
	if err != nil {
		return nil, err
	}
	v["sync none http"] = rate
	for prefix, dir := range map[string]string{"sync ": filepath.Join(i.bench, "out"), "sync memory ": memoryFolder} {
		err := scratch(dir, func(folder string) error {
			latency, err := fdatasync(folder)
			if err != nil {
				return err
			}
			v[prefix+"latency"] = latency.Seconds() * 1000
			v[prefix+"http"], err = i.syncedOverHTTP(ctx, filepath.Join(folder, "http"), sz)
			if err != nil {
				return err
			}
			v[prefix+"engine"], err = syncedAtEngine(ctx, filepath.Join(folder, "engine"), sz)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("in %s: %w", dir, err)
		}
	}
	return v, nil
}

// syncedOverHTTP returns how many messages a second are acknowledged over HTTP.
func (i *instance) syncedOverHTTP(ctx context.Context, folder string, sz sizes) (float64, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	with, err := i.beside(ctx, "--data", folder, "--durability", "sync")
	if err != nil {
		return 0, err
	}
	defer with.stop()
	return with.overHTTP(ctx, sz)
}

// overHTTP has publishers publish over HTTP.
func (i *instance) overHTTP(ctx context.Context, sz sizes) (float64, error) {
	return together(ctx, sz, func(k int) (publishing, error) { return dialPublisher(i.web, syncChannel(k), sz.fanSize) })
}

// syncedAtEngine does the same without HTTP.
func syncedAtEngine(ctx context.Context, folder string, sz sizes) (rate float64, err error) {
	e, err := journal.Open(journal.Config{Dir: folder, Durability: journal.Sync, Rules: ledger.Rules{Default: ledger.DefaultKeep}}, nobody{})
	if err != nil {
		return 0, err
	}
	inner, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- e.Run(inner) }()
	rate, err = together(ctx, sz, func(k int) (publishing, error) {
		p := wire.Publication{Channel: syncChannel(k), Data: payload(sz.fanSize)}
		return publishing{once: func() error { _, err := e.Publish(ctx, p); return err }, end: func() error { return nil }}, nil
	})
	stop()
	return rate, errors.Join(err, <-ended, e.Close())
}

// syncChannel is the channel of publisher number k: a few share one.
func syncChannel(k int) string { return "sync-" + strconv.Itoa(k/4) }

func payload(size int) []byte { return []byte(`"` + strings.Repeat("x", max(0, size-2)) + `"`) }

// nobody listens.
type nobody struct{}

func (nobody) Deliver(engine.Message) {}
func (nobody) Suspect([]string)       {}
func (nobody) Listens(string) bool    { return false }

// publishing is one publisher: once publishes and waits for the outcome.
type publishing struct {
	once, end func() error
}

// together lets publishers publish one message after the other, all at the
// same time, and returns how many a second were acknowledged.
func together(ctx context.Context, sz sizes, dial func(k int) (publishing, error)) (rate float64, err error) {
	var acknowledged atomic.Uint64
	var over atomic.Bool
	errs := make([]error, sz.syncPublishers)
	var wg sync.WaitGroup
	for k := range sz.syncPublishers {
		p, err := dial(k)
		if err != nil {
			over.Store(true)
			errs[k] = err
			break
		}
		wg.Go(func() {
			for !over.Load() && ctx.Err() == nil && errs[k] == nil {
				errs[k] = p.once()
				acknowledged.Add(1)
			}
			errs[k] = errors.Join(errs[k], p.end())
		})
	}
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	wait(sz.syncFor / 4) // the first ones make the file grow
	begun, before := time.Now(), acknowledged.Load()
	wait(sz.syncFor)
	rate = float64(acknowledged.Load()-before) / time.Since(begun).Seconds()
	over.Store(true)
	wg.Wait()
	return rate, errors.Join(append(errs, ctx.Err())...)
}

// dialPublisher returns one that publishes over a connection of its own, which
// it keeps.
func dialPublisher(web netip.AddrPort, channel string, size int) (publishing, error) {
	conn, err := net.Dial("tcp", web.String())
	if err != nil {
		return publishing{}, err
	}
	body := payload(size)
	request := fmt.Appendf(nil, "POST /v1/channels/%s/messages HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		channel, web, len(body), body)
	answers := bufio.NewReader(conn)
	return publishing{end: conn.Close, once: func() error {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		return acknowledgement(answers)
	}}, nil
}

// acknowledgement reads one answer, which must be a 200 with a length.
func acknowledgement(answers *bufio.Reader) error {
	length, status := 0, ""
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if status == "" {
			status = string(line)
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(n)); err != nil {
				return err
			}
		}
		if len(line) == 0 {
			break
		}
	}
	if _, err := answers.Discard(length); err != nil {
		return err
	}
	if status != "HTTP/1.1 200 OK" || length == 0 {
		return fmt.Errorf("the server answered %q, with %d bytes", status, length)
	}
	return nil
}
