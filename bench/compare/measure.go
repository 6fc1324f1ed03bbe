package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast.dev/holdfast/internal/loadgen"
)

// sizes is how much is asked of every server alike.
type sizes struct {
	fanClients int // fan-out at full speed
	fanSize    int // bytes of a message's data, there and one at a time
	fanWarm    uint64
	fanFor     time.Duration

	eachClients            int // one message at a time
	eachWarm, eachMessages uint64

	idleClients int
	settle      time.Duration // at most, until memory has settled

	channels, channelClients int

	linesFor      time.Duration // publishing with nobody listening
	linesChannels int           // to so many, where it is not to one

	stalledClients, stalledSize int
	stalledRate                 float64
	stalledFor                  time.Duration

	syncPublishers int // each waits for its acknowledgement
	syncFor        time.Duration

	stormClients, stormMissed int // clients that come back at once, and messages that each missed
}

var fullSize = sizes{
	fanClients: 1000, fanSize: 128, fanWarm: 500, fanFor: 4 * time.Second,
	eachClients: 10_000, eachWarm: 5, eachMessages: 30,
	idleClients: 15_000, settle: 20 * time.Second,
	channels: 200_000, channelClients: 2000,
	linesFor: 3 * time.Second, linesChannels: 1000,
	syncPublishers: 64, syncFor: 3 * time.Second,
	stalledClients: 1000, stalledSize: 16 << 10, stalledRate: 30, stalledFor: 12 * time.Second,
	stormClients: 10_000, stormMissed: 100,
}

var shortSize = sizes{
	fanClients: 50, fanSize: 128, fanWarm: 100, fanFor: 300 * time.Millisecond,
	eachClients: 100, eachWarm: 2, eachMessages: 20,
	idleClients: 200, settle: time.Second,
	channels: 2000, channelClients: 20,
	linesFor: 300 * time.Millisecond, linesChannels: 100,
	syncPublishers: 64, syncFor: 300 * time.Millisecond,
	stalledClients: 50, stalledSize: 8 << 10, stalledRate: 50, stalledFor: time.Second,
	stormClients: 100, stormMissed: 100,
}

// measurement is one way to load a server. It is run on a fresh process and
// gives values by the keys of the table's rows.
type measurement struct {
	name    string
	servers []string // nil: all
	run     func(ctx context.Context, i *instance, sz sizes) (values, error)
}

type values map[string]float64

func (v values) String() (s string) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		s += fmt.Sprintf(" %s %.4g,", key, v[key])
	}
	return strings.TrimSuffix(s, ",")
}

func (m measurement) appliesTo(name string) bool {
	return m.servers == nil || slices.Contains(m.servers, name)
}

var measurements = []measurement{
	{"fanout", nil, fanOut},
	{"each", nil, oneAtATime},
	{"idle", nil, idle},
	{"channels", []string{"holdfast", "before"}, manyChannels},
	{"ndjson", []string{"holdfast", "before"}, onlyLines},
	// The other two wait for a slow client by the way they are written here.
	{"stalled", []string{"holdfast", "before", "nats", "node"}, stalledClient},
	{"storm", []string{"holdfast"}, storm},
	{"async", []string{"holdfast"}, async},
	{"sync", []string{"holdfast"}, syncing},
}

// load is a fleet that is connected, and a feed that reaches it.
type load struct {
	fleet   *loadgen.Fleet
	feed    *loadgen.Feed
	process loadgen.Process
}

// patience is how long a server may send nothing: the slow ones pause for
// seconds with the same load.
const patience = 30 * time.Second

// with connects a fleet to the server for the time of fn, and fails when a
// client that reads did not get every message once and in order.
func with(ctx context.Context, i *instance, opt loadgen.FleetOptions, channels []string, size int, fn func(load) error) error {
	opt.Address, opt.Dialect, opt.Patience = i.web, i.dialect(i.web.String()), patience
	fleet := loadgen.NewFleet(opt)
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = fleet.Run(running) })
	if err := fleet.Connected(ctx); err != nil {
		return err
	}
	if ready := fleet.Ready(); ready < opt.Clients {
		return fmt.Errorf("only %d of %d clients are connected: %v", ready, opt.Clients, fleet.Faults())
	}
	publisher, err := i.publish(ctx, i)
	if err != nil {
		return err
	}
	feed := loadgen.NewFeed(loadgen.FeedOptions{Publisher: publisher, Fleet: fleet, Channels: channels, Size: size})
	err = errors.Join(fn(load{fleet, feed, i.process()}), publisher.Close())
	t, missing := fleet.Totals(), fleet.Missing(feed.SentTo)
	if t.Lost+t.Repeated+t.OutOfOrder+missing > 0 || t.Ended > opt.Stalled {
		err = errors.Join(err, fmt.Errorf("lost %d, repeated %d, out of order %d, disconnected %d: %v",
			t.Lost+missing, t.Repeated, t.OutOfOrder, t.Ended, fleet.Faults()))
	}
	return err
}

var broadcast = []string{"broadcast"}

// span is CPU of the server, deliveries and time between two moments.
type span struct {
	cpu, took time.Duration
	delivered uint64
}

func (l load) during(fn func() error) (span, error) {
	begun, delivered := time.Now(), l.fleet.Delivered()
	cpu, err := l.process.CPU()
	if err == nil {
		err = fn()
	}
	took := time.Since(begun)
	after, errAfter := l.process.CPU()
	return span{after - cpu, took, l.fleet.Delivered() - delivered}, errors.Join(err, errAfter)
}

func (s span) cpuPerDelivery() float64 { return micros(s.cpu) / float64(max(1, s.delivered)) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// fanOut publishes at full speed to many clients.
func fanOut(ctx context.Context, i *instance, sz sizes) (v values, err error) {
	err = with(ctx, i, loadgen.FleetOptions{Clients: sz.fanClients}, broadcast, sz.fanSize, func(l load) error {
		window := loadgen.Window(sz.fanSize)
		if err := l.feed.Ahead(ctx, window, sz.fanWarm, 0); err != nil {
			return err
		}
		s, err := l.during(func() error { return l.feed.Ahead(ctx, window, 0, sz.fanFor) })
		v = values{"fan cpu": s.cpuPerDelivery(), "fan rate": float64(s.delivered) / s.took.Seconds()}
		return err
	})
	return v, err
}

// oneAtATime publishes a message only when all have received the one before.
func oneAtATime(ctx context.Context, i *instance, sz sizes) (v values, err error) {
	err = with(ctx, i, loadgen.FleetOptions{Clients: sz.eachClients}, broadcast, sz.fanSize, func(l load) error {
		if err := l.feed.Ahead(ctx, 1, sz.eachWarm, 0); err != nil {
			return err
		}
		s, err := l.during(func() error { return l.feed.Ahead(ctx, 1, sz.eachMessages, 0) })
		v = values{"each cpu": s.cpuPerDelivery()}
		return err
	})
	return v, err
}

// idle connects many clients and looks at what they cost.
func idle(ctx context.Context, i *instance, sz sizes) (v values, err error) {
	before, err := i.process().Settled(ctx, sz.settle)
	if err != nil {
		return nil, err
	}
	cpu, err := i.process().CPU()
	if err != nil {
		return nil, err
	}
	err = with(ctx, i, loadgen.FleetOptions{Clients: sz.idleClients}, broadcast, 0, func(l load) error {
		connected, err := l.process.CPU()
		if err != nil {
			return err
		}
		after, err := l.process.Settled(ctx, sz.settle)
		n := float64(sz.idleClients)
		v = values{"idle bytes": float64(after-before) / n, "connect cpu": micros(connected-cpu) / n}
		return err
	})
	return v, err
}

// manyChannels subscribes each client to channels of its own, and then
// publishes a message to every one.
func manyChannels(ctx context.Context, i *instance, sz sizes) (v values, err error) {
	lanes := sz.channels / sz.channelClients
	var channels []string
	for k := range lanes * sz.channelClients {
		channels = append(channels, fmt.Sprintf("c%d", k))
	}
	opt := loadgen.FleetOptions{Clients: sz.channelClients, Lanes: lanes}
	err = with(ctx, i, opt, channels, 0, func(l load) error {
		before, err := l.process.Settled(ctx, sz.settle)
		if err != nil {
			return err
		}
		err = l.fleet.Greet(ctx, func(client int) ([]byte, int) {
			return loadgen.Subscribe(channels[client*lanes : (client+1)*lanes])
		})
		if err != nil {
			return err
		}
		after, err := l.process.Settled(ctx, sz.settle)
		v = values{"channel bytes": float64(after-before) / float64(len(channels))}
		return errors.Join(err, l.feed.Ahead(ctx, loadgen.Window(64), uint64(len(channels)), 0))
	})
	return v, err
}

// onlyLines publishes NDJSON that nobody listens to.
func onlyLines(ctx context.Context, i *instance, sz sizes) (values, error) {
	before, err := i.process().CPU()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	n, err := i.lines(ctx, []string{"nobody"}, sz.fanSize, sz.linesFor)
	if err != nil {
		return nil, err
	}
	rate := float64(n) / time.Since(begun).Seconds()
	after, err := i.process().CPU()
	return values{"lines rate": rate, "lines cpu": micros(after-before) / float64(n)}, err
}

// lines publishes NDJSON over one request, at full speed, and returns how many
// were acknowledged: all of them.
func (i *instance) lines(ctx context.Context, channels []string, size int, lasting time.Duration) (uint64, error) {
	stream, err := loadgen.NewStream(ctx, "http://"+i.web.String(), "")
	if err != nil {
		return 0, err
	}
	feed := loadgen.NewFeed(loadgen.FeedOptions{Publisher: stream, Channels: channels, Size: size})
	err = errors.Join(feed.Ahead(ctx, loadgen.Window(size), 0, lasting), stream.Close())
	if answered := stream.Answered(); err == nil && answered != feed.Sent() {
		err = fmt.Errorf("%d lines were published and %d answered", feed.Sent(), answered)
	}
	return stream.Answered(), err
}

// stalledClient measures the latency of all others without and with one client
// that has stopped reading.
func stalledClient(ctx context.Context, i *instance, sz sizes) (values, error) {
	v := values{}
	for stalled, key := range []string{"p99 without", "p99 with"} {
		opt := loadgen.FleetOptions{Clients: sz.stalledClients, Stalled: stalled}
		err := with(ctx, i, opt, broadcast, sz.stalledSize, func(l load) error {
			l.fleet.Stall()
			if err := l.feed.AtRate(ctx, sz.stalledRate, sz.stalledFor/6); err != nil {
				return err
			}
			l.fleet.Latency() // what came just after the connecting does not count
			err := l.feed.AtRate(ctx, sz.stalledRate, sz.stalledFor)
			v[key] = l.fleet.Latency().Summary().P99
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	v["p99 ratio"] = v["p99 with"] / v["p99 without"]
	return v, nil
}
