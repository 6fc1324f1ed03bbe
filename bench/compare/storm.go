package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/loadgen"
)

// stormed is the channel of a storm.
const stormed = "storm"

// storm connects clients, cuts them all off, publishes what they miss, and has
// them come back at once: with the place up to which they have seen
// everything, and, on a fresh process, without.
func storm(ctx context.Context, i *instance, sz sizes) (values, error) {
	v := values{}
	if err := i.comeBack(ctx, sz, true, v); err != nil {
		return nil, err
	}
	fresh, err := i.beside(ctx)
	if err != nil {
		return nil, err
	}
	defer fresh.stop()
	if err := fresh.comeBack(ctx, sz, false, v); err != nil {
		return nil, err
	}
	v["storm message cpu"] = (v["storm cpu"] - v["storm plain cpu"]) / float64(sz.stormMissed)
	return v, nil
}

// comeBack measures a storm, with or without resuming.
func (i *instance) comeBack(ctx context.Context, sz sizes, resume bool, v values) error {
	target := "/ws?channels=" + stormed
	if err := i.away(ctx, sz, target); err != nil {
		return fmt.Errorf("connect before the storm: %w", err)
	}
	since, err := i.publishMissed(ctx, sz)
	if err != nil {
		return err
	}
	prefix, missed := "storm plain ", uint64(0)
	if resume {
		prefix, missed = "storm ", uint64(sz.stormMissed)
		target += "&since=" + since
	}
	if _, err := i.process().Settled(ctx, sz.settle); err != nil {
		return err
	}
	if err := i.resetPeak(); err != nil {
		return err
	}
	cpu, err := i.process().CPU()
	if err != nil {
		return err
	}
	took, err := i.returnAtOnce(ctx, sz, target, missed)
	if err != nil {
		return err
	}
	after, err := i.process().CPU()
	if err != nil {
		return err
	}
	peak, err := i.peak()
	v[prefix+"cpu"] = micros(after-cpu) / float64(sz.stormClients)
	v[prefix+"time"] = took.Seconds()
	v[prefix+"memory"] = float64(peak) / (1 << 20)
	return err
}

// away connects the clients and cuts them off again.
func (i *instance) away(ctx context.Context, sz sizes, target string) error {
	fleet := loadgen.NewFleet(loadgen.FleetOptions{
		Address: i.web, Dialect: resuming{loadgen.Holdfast{Host: i.web.String(), Target: target}},
		Clients: sz.stormClients, Patience: patience,
	})
	return running(ctx, fleet, func() error { return fleet.Connected(ctx) })
}

// returnAtOnce connects the clients as fast as the server takes them, waits
// until each has got what it missed, checks that, and returns how long it took.
func (i *instance) returnAtOnce(ctx context.Context, sz sizes, target string, missed uint64) (took time.Duration, err error) {
	fleet := loadgen.NewFleet(loadgen.FleetOptions{
		Address: i.web, Dialect: resuming{loadgen.Holdfast{Host: i.web.String(), Target: target}},
		Clients: sz.stormClients, Dialing: sz.stormClients, Patience: patience,
	})
	begun := time.Now()
	err = running(ctx, fleet, func() error {
		fleet.Expect(missed)
		if err := fleet.Connected(ctx); err != nil {
			return err
		}
		if err := fleet.Await(ctx); err != nil {
			return err
		}
		took = time.Since(begun)
		t, missing := fleet.Totals(), fleet.Missing(func(int) uint64 { return missed })
		wanted := missed * uint64(sz.stormClients)
		if t.Ready < sz.stormClients || t.Delivered != wanted || t.Lost+t.Repeated+t.OutOfOrder+missing > 0 || len(fleet.Faults()) > 0 {
			return fmt.Errorf("%d of %d clients came back and got %d of %d messages: lost %d, repeated %d, out of order %d: %v",
				t.Ready, sz.stormClients, t.Delivered, wanted, t.Lost+missing, t.Repeated, t.OutOfOrder, fleet.Faults())
		}
		return nil
	})
	return took, err
}

// running runs a fleet for the time of fn.
func running(ctx context.Context, fleet *loadgen.Fleet, fn func() error) error {
	inner, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = fleet.Run(inner) })
	return fn()
}

// resuming is holdfast's dialect for clients that wait for one channel, and
// for whom a gap is a fault.
type resuming struct{ loadgen.Holdfast }

// Greeting waits for the welcome and for the answer to the subscription.
func (resuming) Greeting(int) ([]byte, int) { return nil, 2 }

func (r resuming) Decode(p []byte, to *loadgen.Sink) int {
	if bytes.HasPrefix(p, []byte(`{"type":"gap"`)) {
		to.Fault(fmt.Sprintf("the server told of a gap: %.100s", p))
	}
	return r.Holdfast.Decode(p, to)
}

// publishMissed publishes one message, whose id it returns, and then those
// that the clients miss.
func (i *instance) publishMissed(ctx context.Context, sz sizes) (since string, err error) {
	since, err = i.publishOne(ctx, stormed)
	if err != nil {
		return "", err
	}
	publisher, err := i.publish(ctx, i)
	if err != nil {
		return "", err
	}
	feed := loadgen.NewFeed(loadgen.FeedOptions{Publisher: publisher, Channels: []string{stormed}, Size: sz.fanSize})
	err = feed.Ahead(ctx, sz.stormMissed, uint64(sz.stormMissed), 0)
	return since, errors.Join(err, publisher.Close())
}

// publishOne publishes a message that no fleet counts and returns its id.
func (i *instance) publishOne(ctx context.Context, channel string) (id string, err error) {
	url := "http://" + i.web.String() + "/v1/channels/" + channel + "/messages"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(`"before"`)))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var receipt struct{ ID string }
	err = json.NewDecoder(resp.Body).Decode(&receipt)
	if err == nil && receipt.ID == "" {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return "", fmt.Errorf("publish to %s: %w", url, err)
	}
	return receipt.ID, nil
}

// resetPeak makes peak begin anew; see clear_refs in proc(5).
func (i *instance) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", i.process()), []byte("5"), 0)
}

// peak is the most bytes of the process that were in memory since resetPeak.
func (i *instance) peak() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.process()))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		var kib int64
		if n, _ := fmt.Sscanf(string(line), "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("the kernel tells no peak of memory (VmHWM)")
}
