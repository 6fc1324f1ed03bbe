//go:build linux

package oracle

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// publisher publishes one batch after the other and writes down what it was
// answered.
type publisher struct {
	trial  *trial
	number int
	rng    *rand.Rand
	web    *http.Client
	due    []repeat // the first is due first, roughly
	wg     sync.WaitGroup
}

// repeat is a publication that is to be sent again with its key.
type repeat struct {
	what *publication
	at   time.Time
}

func newPublisher(t *trial, number int) *publisher {
	return &publisher{
		trial: t, number: number, rng: rand.New(rand.NewPCG(t.seed, 1<<40+uint64(number))),
		web: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 4}},
	}
}

// run publishes until the trial is quiet, about so many batches a second.
func (p *publisher) run(rate int) {
	defer p.web.CloseIdleConnections()
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	for !p.trial.quiet() {
		<-ticker.C
		p.batch()
		p.repeat()
	}
	p.wg.Wait()
}

// batch publishes something new.
func (p *publisher) batch() {
	switch n := p.rng.IntN(100); {
	case n < 65:
		p.single(p.next(p.pick()), p.impatience())
	case n < 80:
		p.send("array", p.several())
	default:
		p.send("lines", p.several())
	}
}

// pick draws a channel, mostly a hot one.
func (p *publisher) pick() *channel {
	n, sum := p.rng.IntN(p.trial.weight), 0
	for _, c := range p.trial.book.channels {
		if sum += weight(c.name); n < sum {
			return c
		}
	}
	panic("the weights do not add up")
}

// several makes some publications, at times all for one channel, and now and
// then very many.
func (p *publisher) several() (all []*publication) {
	c, n := p.pick(), 2+p.rng.IntN(6)
	if chance(p.rng, 30) {
		if n *= 3; c.size < 1000 && chance(p.rng, 5) {
			n *= 25
		}
		for range n {
			all = append(all, p.next(c))
		}
		return all
	}
	for range n {
		all = append(all, p.next(p.pick()))
	}
	return all
}

// next makes the next publication of a channel, with a key or without.
func (p *publisher) next(c *channel) *publication {
	keyed := chance(p.rng, 40)
	return c.next(p.number, func(n int) string {
		if !keyed {
			return ""
		}
		return fmt.Sprintf("%x-%d", p.trial.seed, n)
	})
}

// impatience is how long the publisher waits for an answer: now and then it
// breaks the connection before there can be one.
func (p *publisher) impatience() time.Duration {
	if chance(p.rng, 1) {
		return time.Duration(p.rng.IntN(2000)) * time.Microsecond
	}
	return patience
}

// data returns what is published as a publication's number: its length
// follows from the seed and the number.
func (p *publisher) data(m *publication) []byte {
	size := int((p.trial.seed + uint64(m.n)*2654435761) >> 7 % uint64(m.channel.size))
	return appendData(nil, m.n, size)
}

// single publishes by a request of its own; keyed ones now and then by two at
// the same time.
func (p *publisher) single(m *publication, limit time.Duration) {
	if m.key != "" && chance(p.rng, 10) {
		p.wg.Go(func() { p.one(m, limit) })
	}
	p.one(m, limit)
	p.plan(m)
}

func (p *publisher) one(m *publication, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	headers := map[string]string{}
	if m.key != "" {
		headers["Idempotency-Key"] = m.key
	}
	note := m.begin("single", p.trial.book.now())
	body, err := p.post(ctx, "/v1/channels/"+m.channel.name+"/messages", p.data(m), headers)
	if m.key != "" && err != nil && nobody(err) {
		err = fmt.Errorf("perhaps sent twice: %v", err) // net/http repeats what has a key
	}
	p.outcome(note, body, err)
}

// send publishes several by one request.
func (p *publisher) send(form string, all []*publication) {
	var body bytes.Buffer
	notes := make([]func(time.Duration, outcome, id, string), len(all))
	for i, m := range all {
		switch {
		case form == "lines" && i > 0:
			body.WriteByte('\n')
		case form == "array" && i == 0:
			body.WriteByte('[')
		case form == "array":
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"channel":%q,"data":%s`, m.channel.name, p.data(m))
		if m.key != "" {
			fmt.Fprintf(&body, `,"key":%q`, m.key)
		}
		body.WriteByte('}')
		notes[i] = m.begin(form, p.trial.book.now())
	}
	headers := map[string]string{"Content-Type": "application/x-ndjson"}
	if form == "array" {
		body.WriteByte(']')
		headers = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.impatience())
	defer cancel()
	answer, err := p.post(ctx, "/v1/messages", body.Bytes(), headers)
	answers := p.split(form, answer, len(all))
	for i, m := range all {
		if p.outcome(notes[i], answers[i], err); m.key != "" {
			p.plan(m)
		}
	}
}

// plan has a publication with a key sent again later: always when nobody knows
// whether it exists, and now and then for no reason.
func (p *publisher) plan(m *publication) {
	if m.key == "" {
		return
	}
	m.channel.mu.Lock()
	known := m.attempts[0].outcome == acked
	m.channel.mu.Unlock()
	if !known || chance(p.rng, 15) {
		p.due = append(p.due, repeat{m, time.Now().Add(between(p.rng, 0, 3*time.Second))})
	}
}

// repeat sends again what is due.
func (p *publisher) repeat() {
	for len(p.due) > 0 && time.Now().After(p.due[0].at) {
		m := p.due[0].what
		if p.due = p.due[1:]; chance(p.rng, 50) {
			p.single(m, patience)
		} else {
			p.send("lines", []*publication{m})
		}
	}
}
