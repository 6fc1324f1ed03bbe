package transport

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/wire"
	"holdfast.dev/holdfast/internal/ws"
)

// listen adds a client of events to the bench, which asks for channels and
// comes back from a place, and returns its end of the connection.
func (b *bench) listen(t testing.TB, channels []string, place string) int {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.far = append(b.far, pair[1])
	b.gate.open++
	a := &arrival{fd: int32(pair[0]), events: true}
	var places map[string]wire.ID
	if place != "" {
		if places, err = wire.ParseSince(place, channels, ""); err != nil {
			t.Fatalf("the place %q cannot be gone back to: %v", place, err)
		}
	}
	for _, name := range channels {
		a.wants = append(a.wants, wire.Wanted{Channel: name, Since: places[name]})
		delete(places, name)
	}
	for name, id := range places {
		a.wants = append(a.wants, wire.Wanted{Channel: name, Since: id})
	}
	b.admit(a)
	return pair[1]
}

// hangUp ends a client's connection.
func (b *bench) hangUp(fd int) {
	_ = unix.Close(fd)
	b.far = slices.DeleteFunc(b.far, func(f int) bool { return f == fd })
	b.step()
}

// tell publishes a text.
func (b *bench) tell(channel, data string) {
	_, _ = b.Hub.Publish(context.Background(), wire.Publication{Channel: channel, Data: []byte(data)})
}

// TestEvents_ResumeFromACutAtEveryByte cuts a client's connection at each
// byte of what it is sent and has it come back with the id of the last event
// that was whole. Together it must see every message once, in order, and be
// told of what is gone before the first one that follows.
func TestEvents_ResumeFromACutAtEveryByte(t *testing.T) {
	channels := []string{"news", "b"}
	for name, c := range map[string]struct {
		channels  []string
		published int    // of each channel
		since     string // of each channel; %s is the epoch
		gap       bool
		stride    int
	}{
		"all is there":      {channels, 4, "broadcast:%[1]s-0,news:%[1]s-0,b:%[1]s-0", false, 1},
		"broadcast alone":   {nil, 4, "%[1]s-0", false, 1},
		"some is gone":      {channels, 103, "broadcast:%[1]s-0,news:%[1]s-0,b:%[1]s-0", true, 307},
		"the epoch is gone": {channels, 3, "broadcast:x-7,news:x-7,b:x-7", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 0, func(_ *session.Policy, l *Limits) { l.MaxLag = 1 << 30 })
			names := append([]string{wire.Broadcast}, c.channels...)
			var epoch string
			for i := range c.published {
				for _, ch := range names {
					r, _ := b.Hub.Publish(t.Context(), wire.Publication{Channel: ch, Data: fmt.Append(nil, i)})
					epoch = r.ID.Epoch
				}
			}
			since := strings.ReplaceAll(c.since, "%[1]s", epoch)
			whole := b.stream(t, c.channels, since)
			for cut := 0; cut <= len(whole); cut += c.stride {
				var first, second parser
				first.feed(whole[:cut])
				place := first.id
				if place == "" {
					place = since
				}
				second.feed(b.stream(t, c.channels, place))
				check(t, cut, names, c.published, c.gap, append(first.events, second.events...))
			}
		})
	}
}

// stream returns what a client is sent that comes back from a place.
func (b *bench) stream(t *testing.T, channels []string, place string) []byte {
	fd := b.listen(t, channels, place)
	defer b.hangUp(fd)
	return drainFD(b, fd)
}

// check looks at all the events that a client got over two connections.
func check(t *testing.T, cut int, names []string, published int, gap bool, all []told) {
	t.Helper()
	next, toldOf := map[string]int{}, map[string]bool{}
	for _, e := range all {
		var f frame
		if err := json.Unmarshal([]byte(e.data), &f); err != nil || f.Type != e.kind {
			t.Fatalf("cut at %d: %+v: %v", cut, e, err)
		}
		switch e.kind {
		case "gap":
			if next[f.Channel] != 0 || toldOf[f.Channel] {
				t.Fatalf("cut at %d: a gap in %s behind message %d, told before: %v", cut, f.Channel, next[f.Channel], toldOf[f.Channel])
			}
			toldOf[f.Channel] = true
		case "message":
			if first := max(0, published-100); next[f.Channel] == 0 {
				next[f.Channel] = first
			}
			if string(f.Data) != fmt.Sprint(next[f.Channel]) {
				t.Fatalf("cut at %d: message %s of %s where %d was due", cut, f.Data, f.Channel, next[f.Channel])
			}
			if gap && !toldOf[f.Channel] {
				t.Fatalf("cut at %d: message %s of %s before its gap", cut, f.Data, f.Channel)
			}
			next[f.Channel]++
		}
	}
	for _, ch := range names {
		if next[ch] != published || toldOf[ch] != gap {
			t.Fatalf("cut at %d: %d of %d messages of %s, gap told: %v", cut, next[ch], published, ch, toldOf[ch])
		}
	}
}

// listener is a client of events that checks what it gets against all that
// was published.
type listener struct {
	parser
	fd       int
	channels []string
	next     map[string]int // number of the message that is due; absent before the first
	place    map[string]string
}

// hear reads up to so many bytes and checks them: messages of a channel are
// numbered without a hole, and each event's id is the place in all channels.
func (c *listener) hear(t *testing.T, b *bench, most int) {
	n, _ := unix.Read(c.fd, b.scratch[:most])
	c.feed(b.scratch[:max(n, 0)])
	for _, e := range c.take() {
		var f frame
		if err := json.Unmarshal([]byte(e.data), &f); err != nil {
			t.Fatalf("%.100q: %v", e.data, err)
		}
		switch e.kind {
		case "welcome":
			for part := range strings.SplitSeq(e.id, ",") {
				i := strings.LastIndexByte(part, ':')
				c.place[part[:max(i, 0)]] = part[i+1:]
			}
			continue
		case "message":
			var number int
			_, _ = fmt.Sscanf(string(f.Data[1:]), "%d", &number)
			if due, known := c.next[f.Channel]; known && due != number {
				t.Fatalf("message %d of %s where %d was due", number, f.Channel, due)
			}
			c.next[f.Channel] = number + 1
		case "gap":
			delete(c.next, f.Channel)
			continue // it moves to a place that is known only from the next message
		default:
			continue
		}
		name := f.Channel
		if len(c.channels) == 0 {
			name = ""
		}
		c.place[name] = f.ID
		if want := c.where(); e.id != want {
			t.Fatalf("message %s of %s has the id %q, want %q", f.ID, f.Channel, e.id, want)
		}
	}
}

func (c *listener) where() string {
	if len(c.channels) == 0 {
		return c.place[""]
	}
	parts := []string{wire.Broadcast + ":" + c.place[wire.Broadcast]}
	for _, ch := range c.channels {
		parts = append(parts, ch+":"+c.place[ch])
	}
	return strings.Join(parts, ",")
}

// TestEvents_SlowReadersLoseAndRepeatNothing has clients of events, among
// others, that join, stall and read a few bytes, while messages of all sizes
// are published on three channels, some too large for a buffer.
func TestEvents_SlowReadersLoseAndRepeatNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	b := newBench(t, 2, func(_ *session.Policy, l *Limits) { l.MaxLag = 1 << 30 })
	var clients []*listener
	names := []string{wire.Broadcast, "a", "b"}
	sent := map[string]int{}
	join := func() {
		c := &listener{next: map[string]int{}, place: map[string]string{}, channels: [][]string{nil, {"a"}, {"a", "b"}}[rng.IntN(3)]}
		c.fd = b.listen(t, c.channels, "")
		_ = unix.SetsockoptInt(int(b.table.at(b.ids[b.lastID()]).fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<10)
		clients = append(clients, c)
	}
	publish := func() {
		ch := names[rng.IntN(len(names))]
		size := rng.IntN(rng.IntN(3000) + 1)
		if rng.IntN(40) == 0 {
			size = rng.IntN(200 << 10)
		}
		b.tell(ch, fmt.Sprintf("[%d,%q]", sent[ch], strings.Repeat("x", size)))
		sent[ch]++
	}
	join()
	for range 600 {
		b.checkLags(t)
		switch k := rng.IntN(10); {
		case k == 0 && len(clients) < 20:
			join()
		case k < 4:
			for range rng.IntN(20) {
				publish()
			}
		case k < 6:
			b.step()
		default:
			clients[rng.IntN(len(clients))].hear(t, b, 1+rng.IntN(1+rng.IntN(len(b.scratch))))
			b.step()
		}
	}
	for quiet := 0; quiet < 3; quiet++ {
		for _, c := range clients {
			before := len(c.line) + len(c.data) + c.next[wire.Broadcast]
			c.hear(t, b, len(b.scratch))
			if b.step(); before != len(c.line)+len(c.data)+c.next[wire.Broadcast] {
				quiet = 0
			}
		}
		b.swallowOthers(clients)
	}
	for i, c := range clients {
		for _, ch := range append([]string{wire.Broadcast}, c.channels...) {
			if due, known := c.next[ch]; known && due != sent[ch] {
				t.Errorf("client %d got %d of %d messages of %s", i, due, sent[ch], ch)
			}
		}
		if b.table.used != len(b.far) {
			t.Fatalf("%d of %d clients are left", b.table.used, len(b.far))
		}
	}
}

// lastID returns the session that came last.
func (b *bench) lastID() (id session.ID) {
	newest := int32(-1)
	for candidate, slot := range b.ids {
		if slot > newest {
			id, newest = candidate, slot
		}
	}
	return id
}

// swallowOthers reads what the clients were sent that are no listeners.
func (b *bench) swallowOthers(clients []*listener) {
	for _, fd := range b.far {
		if !slices.ContainsFunc(clients, func(c *listener) bool { return c.fd == fd }) {
			b.read(fd)
		}
	}
}

func TestEvents_HeartbeatIsACommentAndFindsWhoTakesNothing(t *testing.T) {
	b := newBench(t, 0, nil)
	idle := b.listen(t, nil, "")
	b.listen(t, nil, "") // takes nothing
	var p parser
	b.tell(wire.Broadcast, `"`+strings.Repeat("x", 500_000)+`"`)
	b.step()
	p.feed(drainFD(b, idle))
	for range 10 {
		b.pass(time.Minute)
		p.feed(drainFD(b, idle))
	}
	if p.beats < 9 || p.beats > 11 || len(p.line) > 0 || p.data != nil {
		t.Errorf("%d comments in 10 heartbeats: %+v", p.beats, p)
	}
	if b.table.used != 1 {
		t.Errorf("%d conns are left; the one that takes what it is sent should be the only one", b.table.used)
	}
}

// TestEvents_WhoTakesALittleIsNotGivenUp has a client that reads slower than
// it is sent, for many heartbeats.
func TestEvents_WhoTakesALittleIsNotGivenUp(t *testing.T) {
	b := newBench(t, 0, nil)
	fd := b.listen(t, nil, "")
	data := `"` + strings.Repeat("x", 900_000) + `"`
	b.tell(wire.Broadcast, data)
	b.step()
	var p parser
	for range 8 {
		for range 4 {
			n, _ := unix.Read(fd, b.scratch[:20_000])
			p.feed(b.scratch[:n])
			b.step()
		}
		b.pass(time.Minute)
	}
	if !b.table.at(0).blocked() {
		t.Fatal("the client has kept up; there was nothing to see")
	}
	p.feed(drainFD(b, fd))
	if all := p.take(); len(all) != 2 || !strings.HasSuffix(all[1].data, data+"}") {
		t.Errorf("%d events, %d conns are left", len(all), b.table.used)
	}
}

// TestEvents_AFrameForABlockedClientWaitsItsTurn sends a frame of the
// session's own while a message is half sent.
func TestEvents_AFrameForABlockedClientWaitsItsTurn(t *testing.T) {
	b := newBench(t, 0, nil)
	fd := b.listen(t, nil, "")
	data := `"` + strings.Repeat("x", 900_000) + `"`
	b.tell(wire.Broadcast, data)
	b.step()
	b.carry(b.table.at(0)).Send(ws.Text, wire.AppendRefresh(nil, time.Minute))
	b.tell(wire.Broadcast, `2`)
	var p parser
	p.feed(drainFD(b, fd))
	all := p.take()
	if len(all) != 4 || !strings.HasSuffix(all[1].data, data+"}") || all[2].kind != "refresh" || !strings.HasSuffix(all[3].data, `"data":2}`) {
		t.Errorf("got %d events: %.200v", len(all), all)
	}
	if all[2].id != all[1].id {
		t.Errorf("the refresh moved the place from %s to %s", all[1].id, all[2].id)
	}
}

func TestEvents_DrainSendsARetryAndEndsInOrder(t *testing.T) {
	b := newBench(t, 0, nil)
	fd := b.listen(t, []string{"news"}, "")
	b.tell("news", `"last words"`)
	b.runJobs()
	b.endSome(1)
	var p parser
	p.feed(drainFD(b, fd))
	all := p.take()
	if len(all) < 2 || all[len(all)-2].kind != "message" || all[len(all)-1].kind != "closed" {
		t.Fatalf("got %+v", all)
	}
	var f struct {
		Code   int
		Reason string
	}
	_ = json.Unmarshal([]byte(all[len(all)-1].data), &f)
	if f.Code != 1012 || f.Reason != restartReason+p.retry {
		t.Errorf("the end was %+v, to come back after %s", f, p.retry)
	}
	if n, err := unix.Read(fd, b.scratch); n != 0 || err != nil {
		t.Errorf("our side is not shut: %d, %v", n, err)
	}
	if b.table.used != 1 {
		t.Error("the connection was closed before the client had its turn")
	}
	_ = unix.Shutdown(fd, unix.SHUT_WR)
	if b.step(); b.table.used != 0 {
		t.Error("the connection outlives both ends")
	}
}

func TestEvents_ASlowClientIsToldAndClosed(t *testing.T) {
	b := newBench(t, 0, func(_ *session.Policy, l *Limits) { l.MaxLag = 64 << 10 })
	fd := b.listen(t, nil, "")
	for i := range 1000 {
		b.tell(wire.Broadcast, fmt.Sprintf("[%d,%q]", i, strings.Repeat("x", 1000)))
		b.step()
	}
	var p parser
	p.feed(drainFD(b, fd))
	all := p.take()
	for i, e := range all[1 : len(all)-1] {
		if !strings.Contains(e.data, fmt.Sprintf(`"data":[%d,`, i)) {
			t.Fatalf("event %d is %.100s", i, e.data)
		}
	}
	if last := all[len(all)-1]; last.kind != "closed" || !strings.Contains(last.data, `"code":4008`) || last.id != all[len(all)-2].id {
		t.Errorf("the end was %+v behind %s", last, all[len(all)-2].id)
	}
}

func TestEvents_ASlowClientThatSkipsStandsBehindTheGap(t *testing.T) {
	b := newBench(t, 0, func(_ *session.Policy, l *Limits) { l.MaxLag, l.SkipSlow = 64<<10, true })
	fd := b.listen(t, []string{"news"}, "")
	var ids []string
	for i := range 1000 {
		r, _ := b.Hub.Publish(t.Context(), wire.Publication{Channel: "news", Data: fmt.Appendf(nil, "[%d,%q]", i, strings.Repeat("x", 1000))})
		ids = append(ids, r.ID.String())
		b.step()
	}
	var p parser
	p.feed(drainFD(b, fd))
	gaps, place := 0, ""
	for _, e := range p.take() {
		var f frame
		_ = json.Unmarshal([]byte(e.data), &f)
		news := e.id[strings.LastIndexByte(e.id, ':')+1:]
		switch i := slices.Index(ids, place); e.kind {
		case "gap":
			gaps++
			if f.After != place || f.Reason != "too_slow" || slices.Index(ids, news) <= i {
				t.Errorf("at %s: %+v, and then %s", place, f, news)
			}
		case "message":
			if f.ID != news || i+1 >= len(ids) || ids[i+1] != news {
				t.Fatalf("at %s: message %s, id %s", place, f.ID, e.id)
			}
		}
		place = news
	}
	if gaps == 0 || place != ids[len(ids)-1] {
		t.Errorf("%d gaps, the last place is %s", gaps, place)
	}
}

func TestEvents_WhatAClientSendsIsDroppedAndBounded(t *testing.T) {
	b := newBench(t, 0, nil)
	fd := b.listen(t, nil, "")
	b.step()
	for range 4 {
		if _, err := unix.Write(fd, make([]byte, maxDiscard/4)); err != nil {
			t.Fatal(err)
		}
		b.step()
	}
	if b.table.at(0).state != open {
		t.Fatal("closed before its bound")
	}
	_, _ = unix.Write(fd, []byte("x"))
	b.step()
	var p parser
	p.feed(drainFD(b, fd))
	if all := p.take(); all[len(all)-1].kind != "closed" || !strings.Contains(all[len(all)-1].data, `"code":1008`) || p.retry != "86400000" {
		t.Errorf("got %+v, retry %s", all, p.retry)
	}
}

func TestEvents_AClientThatHangsUpIsGone(t *testing.T) {
	b := newBench(t, 0, nil)
	b.hangUp(b.listen(t, []string{"news"}, ""))
	if b.table.used != 0 || b.gate.Open() != 0 || b.Hub.Count() > 1 {
		t.Errorf("%d conns, %d sessions, %d channels are left", b.table.used, b.gate.Open(), b.Hub.Count())
	}
}

func TestEvents_AllocateNothingPerDelivery(t *testing.T) {
	allocs := func(clients int) float64 {
		b := newBench(t, 0, nil)
		for range clients {
			b.listen(t, []string{"news"}, "")
		}
		b.swallow()
		p := wire.Publication{Channel: "news", Data: []byte(strings.Repeat("1", 128))}
		return testing.AllocsPerRun(50, func() {
			b.round(p, 10)
			b.swallow()
		})
	}
	if few, many := allocs(1), allocs(200); many > few+1 {
		t.Errorf("10 messages cost %v allocations for 1 client and %v for 200", few, many)
	}
}

// TestEvents_TheKernelGivesUpWhoDoesNotAnswer looks at what the kernel was told
// about connections on which nothing is ever heard.
func TestEvents_TheKernelGivesUpWhoDoesNotAnswer(t *testing.T) {
	for _, way := range []string{"plain", "TLS"} {
		n := start(t, false, nil)
		source(t, n.eventsServer(t, way), "")
		limits := ask(t.Context(), n.loops, func(l *Loop) (found []int) {
			l.table.each(0, func(c *conn) bool {
				fd := int(c.fd)
				if c.stream != nil {
					raw, _ := c.stream.nc.(*tls.Conn).NetConn().(*net.TCPConn).SyscallConn()
					_ = raw.Control(func(f uintptr) { fd = int(f) })
				}
				ms, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
				found = append(found, ms)
				return true
			})
			return found
		})
		if len(limits) != 1 || limits[0] != int(2*n.Policy.Heartbeat/time.Millisecond) {
			t.Errorf("%s: %v ms", way, limits)
		}
	}
}

func BenchmarkFanoutOfEvents(b *testing.B) {
	for _, messages := range []int{1, 100} {
		b.Run(fmt.Sprintf("clients=200/messages=%d", messages), func(b *testing.B) {
			bench := newBench(b, 0, nil)
			for range 200 {
				bench.listen(b, nil, "")
			}
			bench.swallow()
			p := wire.Publication{Channel: wire.Broadcast, Data: []byte(strings.Repeat("1", 128))}
			b.ReportAllocs()
			for b.Loop() {
				bench.round(p, messages)
				b.StopTimer()
				bench.swallow()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages*200), "ns/delivery")
		})
	}
}
