//go:build linux

package oracle

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"holdfast.dev/holdfast/internal/ws"
)

// visit is a client within one connection.
type visit struct {
	*client
	life   *life
	number int32
	link   *link
	start  time.Time
	done   int // ops
	over   bool
	mark   int
	asking map[int]*page // by their marks
	pages  []page
}

// open connects, sends the handshake and what goes with it.
func (v *visit) open() error {
	buffer := v.buffer
	if v.life.plan.final {
		buffer = 0
	}
	l, err := dial(v.trial.server.address(), buffer)
	if err != nil {
		return err
	}
	v.link, v.start = l, time.Now()
	l.whole, l.event = v.take, v.happened
	first := v.greeting()
	for _, o := range v.life.plan.ops {
		if o.at > 0 || o.act == stall {
			break
		}
		v.done++
		first = v.do(first, o)
	}
	_, err = l.Write(first)
	return err
}

// read reads and acts until the plan, or the server, ends the connection.
func (v *visit) read() error {
	p := v.life.plan
	end := v.start.Add(p.span)
	if busy := v.trial.busy; !p.final && busy.Before(end) {
		end = busy
	}
	buffer := make([]byte, min(p.chunk, p.bytes, 1<<16))
	for v.life.read < p.bytes && !v.over && !v.trial.leave.Load() {
		until := end
		if soon := time.Now().Add(50 * time.Millisecond); v.trial.polite && soon.Before(end) {
			until = soon
		}
		if v.done < len(p.ops) {
			if due := v.start.Add(p.ops[v.done].at); due.Before(until) {
				until = due
			}
		}
		_ = v.link.SetReadDeadline(until)
		n, err := v.link.Read(buffer[:min(len(buffer), p.bytes-v.life.read)])
		v.life.read += n
		if fault := v.link.feed(buffer[:n]); fault != nil {
			return fault
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(end) {
				return nil
			}
			if err := v.act(); err != nil {
				return err
			}
		case err != nil:
			return err
		case p.every > 0:
			v.trial.pause(p.every)
		}
	}
	return nil
}

// act does what is due.
func (v *visit) act() error {
	var out []byte
	for p := v.life.plan; v.done < len(p.ops) && time.Since(v.start) >= p.ops[v.done].at; {
		o := p.ops[v.done]
		v.done++
		if o.act == stall {
			if v.trial.pause(o.long); o.nag {
				out = v.nag(out)
			}
			continue
		}
		out = v.do(out, o)
	}
	if len(out) == 0 {
		return nil
	}
	_ = v.link.SetWriteDeadline(time.Now().Add(patience))
	_, err := v.link.Write(out)
	return err
}

// do appends the frame of an act, if it makes sense now.
func (v *visit) do(out []byte, o op) []byte {
	t := v.tracks[o.channel]
	switch {
	case o.act == leave && t.state == live:
		t.state = leaving
		return text(out, fmt.Sprintf(`{"type":"unsubscribe","channel":%q}`, t.channel.name))
	case (o.act == join || o.act == forget) && t.state == idle:
		if t.state, t.since = asked, t.place; o.act == forget {
			t.since = id{}
		}
		return text(out, `{"type":"subscribe","channels":[`+v.wants(t)+`]}`)
	case o.act == twice && (t.state == live || t.state == asked):
		return text(out, fmt.Sprintf(`{"type":"subscribe","channel":%q,"since":"x-7"}`, t.channel.name))
	case o.act == look || o.act == newest:
		return v.ask(out, t, o)
	case o.act == harmful:
		return text(out, `{"type":"subscribe","channel":"no spaces"}`)
	}
	return out
}

// nag appends a subscribe for each channel that the client has already.
func (v *visit) nag(out []byte) []byte {
	for i := range v.own() {
		out = v.do(out, op{act: twice, channel: i})
	}
	return out
}

// ask appends a question for history.
func (v *visit) ask(out []byte, t *track, o op) []byte {
	v.mark++
	q := page{channel: t.channel, limit: 1 + v.mark*7%40, begun: v.trial.book.now(), most: v.trial.lag / 2, who: fmt.Sprintf("client %d, connection %d", v.client.number, v.number)}
	since := ""
	if q.since = t.place; o.act == look && q.since != (id{}) {
		since = fmt.Sprintf(`,"since":%q`, v.trial.book.text(q.since))
	} else {
		q.since = id{}
	}
	if v.asking == nil {
		v.asking = make(map[int]*page)
	}
	v.asking[v.mark] = &q
	return text(out, fmt.Sprintf(`{"type":"history","channel":%q,"limit":%d,"request":%d%s}`, t.channel.name, q.limit, v.mark, since))
}

// close ends the connection if it has not ended and says how that was.
func (v *visit) close(err error) {
	for _, t := range v.tracks {
		if v.link != nil {
			t.blind = nil
		}
		if v.life.plan.sse && t.state == asked && t.since == (id{}) {
			t.blind = &event{kind: fresh, life: v.number, at: v.life.ended}
		}
		t.ended(v.number, v.life.ended, "the connection has ended")
	}
	v.life.err = err
	l := v.link
	if l == nil {
		return
	}
	v.client.pages = append(v.client.pages, v.pages...)
	v.last = l.lastID
	v.life.status, v.life.code, v.life.said = l.status, l.code, strings.TrimSpace(l.reason)
	if err == nil {
		v.part()
	}
	_ = l.Close()
}

// part ends the connection as the plan says.
func (v *visit) part() {
	switch v.life.plan.end {
	case reset:
		v.link.abort()
	case torn:
		_, _ = v.link.Write(text(nil, `{"type":"subscribe","channel":"warm-1"}`)[:v.life.read%30+1])
		v.link.abort()
	case goodbye:
		_, _ = v.link.Write(ws.AppendMasked(nil, ws.Close, mask, []byte{3, 232}))
	}
}
