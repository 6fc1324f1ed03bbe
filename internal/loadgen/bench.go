package loadgen

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options says what [Bench] does.
type Options struct {
	URL      string // of the server's WebSocket, ws://HOST:PORT/ws
	APIKey   string // for publishing, when the server wants one
	Clients  int    // 0: publish only
	Stalled  int    // so many further clients connect and stop reading
	Channels int    // 0: one channel that all clients share; else so many, one subscriber each
	Rate     float64
	Size     int // bytes of a message's data
	Duration time.Duration
	PID      int // the server's process, on this machine; 0: ask the server

	// Progress, unless nil, is called ten times a second.
	Progress func(Progress)
}

// Progress is how far a bench has come.
type Progress struct {
	Phase     string  // what it does now
	Share     float64 // of this phase that is done, 0 to 1
	Ready     int     // clients
	Published uint64
	Delivered uint64
}

// Validate names every option that makes no sense.
func (o *Options) Validate() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(o.Clients < 0 || o.Stalled < 0 || o.Channels < 0, "clients, stalled and channels cannot be negative")
	wrong(o.Rate < 0, "the rate cannot be negative; 0 is full speed")
	wrong(o.Size < 0 || o.Size > 1<<20, "the size of a message is 0 to 1,048,576 bytes, not %d", o.Size)
	wrong(o.Duration <= 0, "the duration must be positive, such as 10s")
	wrong(o.Channels > 0 && o.Channels < o.Clients, "%d channels are too few for %d clients: each client subscribes to its own", o.Channels, o.Clients)
	wrong(o.Channels > 0 && o.Clients == 0, "channels need clients that subscribe to them")
	wrong(o.Channels > 0 && o.Stalled > 0, "stalled clients and channels of one subscriber cannot be measured together")
	if most := descriptors() - spareDescriptors; o.Clients+o.Stalled > most {
		errs = append(errs, fmt.Errorf("%d clients need as many descriptors, and this process may hold %d: "+
			"raise the limit (ulimit -n) or use --clients %d", o.Clients+o.Stalled, most, most))
	}
	return errors.Join(errs...)
}

// spareDescriptors are kept for everything but clients.
const spareDescriptors = 32

// memorySettles bounds how long the server's memory is waited for.
const memorySettles = 10 * time.Second

// bench is one measurement on its way.
type bench struct {
	opt    Options
	at     target
	fleet  *Fleet
	report *Report
	phase  atomic.Pointer[step]
	sent   atomic.Pointer[Feed]
}

// step is a phase of a bench.
type step struct {
	name  string
	begun time.Time
	lasts time.Duration // 0: as long as clients connect
}

// Bench measures one server. When ctx ends early the report tells what was seen
// until then. An error says that no measurement was possible, or that it could
// not go on; the report is then what was seen until that.
func Bench(ctx context.Context, opt Options) (*Report, error) {
	report := &Report{URL: opt.URL, Clients: opt.Clients, Stalled: opt.Stalled, Channels: opt.Channels}
	if err := opt.Validate(); err != nil {
		return report, err
	}
	at, err := parseTarget(ctx, opt.URL, opt.APIKey)
	if err != nil {
		return report, err
	}
	if report.PID = opt.PID; report.PID == 0 {
		report.PID = at.process(ctx)
	}
	b := &bench{opt: opt, at: at, report: report}
	lanes := 1
	if opt.Channels > 0 {
		lanes = opt.Channels / opt.Clients
		report.Channels = lanes * opt.Clients
	}
	b.fleet = NewFleet(FleetOptions{
		Address: at.address, Dialect: Holdfast{Host: at.host, Target: at.path},
		Clients: opt.Clients + opt.Stalled, Stalled: opt.Stalled, Lanes: lanes,
	})
	b.enter("connecting", 0)
	err = b.run(ctx)
	report.Stopped = ctx.Err() != nil
	return report, err
}

// run drives the fleet through all phases, and ends it.
func (b *bench) run(ctx context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	failed := make(chan error, 1)
	wg.Go(func() { failed <- b.fleet.Run(running) })
	if b.opt.Progress != nil {
		wg.Go(func() { b.watch(running) })
	}
	err := b.measure(ctx)
	b.count()
	b.enter("closing", lingerFor)
	stop()
	return errors.Join(err, <-failed)
}

// measure does the phases in order.
func (b *bench) measure(ctx context.Context) error {
	channels, err := b.connect(ctx)
	if err == nil && ctx.Err() == nil {
		err = b.publish(ctx, channels)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// connect brings all clients up, measures what they cost, and subscribes them.
func (b *bench) connect(ctx context.Context) (channels []string, err error) {
	prefix := "bench-" + strings.ToLower(rand.Text()[:8])
	if b.opt.Clients+b.opt.Stalled == 0 {
		return []string{prefix}, nil
	}
	before, begun := b.usage(ctx), time.Now()
	if err := b.fleet.Connected(ctx); err != nil {
		return nil, err
	}
	took, busy := time.Since(begun), b.usage(ctx)
	n := float64(b.fleet.Ready())
	b.report.Connected = b.fleet.Ready()
	b.report.ConnectsPerS = n / took.Seconds()
	b.report.CPUPerConnect = micros(busy.cpu-before.cpu) / n
	b.enter("letting memory settle", memorySettles)
	idle := b.memory(ctx)
	if before.resident > 0 && idle > 0 {
		b.report.BytesPerClient = float64(idle-before.resident) / n
	}
	b.enter("subscribing", 0)
	if b.opt.Channels == 0 {
		channels = []string{prefix}
		return channels, b.fleet.Greet(ctx, func(int) ([]byte, int) { return Subscribe(channels) })
	}
	for i := range b.report.Channels {
		channels = append(channels, fmt.Sprintf("%s-%d", prefix, i))
	}
	lanes := b.report.Channels / b.opt.Clients
	err = b.fleet.Greet(ctx, func(client int) ([]byte, int) {
		return Subscribe(channels[client*lanes : (client+1)*lanes])
	})
	if err != nil {
		return nil, err
	}
	b.enter("letting memory settle", memorySettles)
	if after := b.memory(ctx); idle > 0 && after > 0 {
		b.report.BytesPerChannel = float64(after-idle) / float64(len(channels))
	}
	return channels, nil
}

// publish sends messages for as long as asked and measures their delivery.
func (b *bench) publish(ctx context.Context, channels []string) error {
	stream, err := NewStream(context.WithoutCancel(ctx), b.at.base, b.at.key)
	if err != nil {
		return err
	}
	opt := FeedOptions{Publisher: stream, Channels: channels, Size: b.opt.Size}
	if b.opt.Clients+b.opt.Stalled > 0 {
		opt.Fleet = b.fleet
	}
	feed := NewFeed(opt)
	b.sent.Store(feed)
	b.fleet.Stall()
	b.enter("publishing", b.opt.Duration)
	before, begun := b.usage(ctx), time.Now()
	if b.opt.Rate > 0 {
		err = feed.AtRate(ctx, b.opt.Rate, b.opt.Duration)
	} else {
		err = feed.Ahead(ctx, Window(b.opt.Size), 0, b.opt.Duration)
	}
	if errors.Is(err, ErrStuck) {
		err = nil // what is missing is counted, and told as lost
	}
	if b.opt.Clients == 0 || err != nil {
		err = errors.Join(err, stream.Close())
	}
	b.rates(feed, time.Since(begun), b.usage(ctx).cpu-before.cpu)
	b.report.Lost = b.fleet.Missing(feed.SentTo)
	if b.opt.Clients > 0 {
		err = errors.Join(err, stream.Close())
	}
	return err
}

// rates fills in what follows from counts, time and CPU.
func (b *bench) rates(feed *Feed, took, cpu time.Duration) {
	r := b.report
	r.Published, r.Delivered = feed.Sent(), b.fleet.Delivered()
	r.PublishedPerS = float64(r.Published) / took.Seconds()
	r.DeliveredPerS = float64(r.Delivered) / took.Seconds()
	if n := max(r.Delivered, uint64(0)); b.opt.Clients > 0 && n > 0 {
		r.CPUPerMessage = micros(cpu) / float64(n)
	} else if b.opt.Clients == 0 && r.Published > 0 {
		r.CPUPerMessage = micros(cpu) / float64(r.Published)
	}
}

// count fills in what the clients have seen.
func (b *bench) count() {
	t, r := b.fleet.Totals(), b.report
	r.Failed, r.Refused, r.Disconnected = t.Failed, t.Refused, t.Ended
	r.Lost += t.Lost
	r.Repeated, r.OutOfOrder = t.Repeated, t.OutOfOrder
	r.Latency = b.fleet.Latency().Summary()
	r.Faults = b.fleet.Faults()
}

// use is what the server's process has used so far.
type use struct {
	cpu      time.Duration
	resident int64
}

func (b *bench) usage(context.Context) (u use) {
	if b.report.PID != 0 {
		u.cpu, _ = Process(b.report.PID).CPU()
		u.resident, _ = Process(b.report.PID).Resident()
	}
	return u
}

// memory is the server's memory once it has stopped changing; 0 if unknown.
func (b *bench) memory(ctx context.Context) int64 {
	if b.report.PID == 0 {
		return 0
	}
	n, _ := Process(b.report.PID).Settled(ctx, memorySettles)
	return n
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (b *bench) enter(phase string, lasts time.Duration) {
	b.phase.Store(&step{phase, time.Now(), lasts})
}

// watch reports progress until ctx is done.
func (b *bench) watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second / 10)
	defer ticker.Stop()
	for {
		at := b.phase.Load()
		p := Progress{Phase: at.name, Ready: b.fleet.Ready(), Delivered: b.fleet.Delivered()}
		if feed := b.sent.Load(); feed != nil {
			p.Published = feed.Sent()
		}
		if at.lasts > 0 {
			p.Share = min(1, float64(time.Since(at.begun))/float64(at.lasts))
		} else {
			p.Share = float64(p.Ready) / float64(max(1, b.opt.Clients+b.opt.Stalled))
		}
		b.opt.Progress(p)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
