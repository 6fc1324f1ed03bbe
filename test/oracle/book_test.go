//go:build linux

package oracle

import (
	"sync"
	"time"
)

// outcome is what a publisher knows of one attempt to publish.
type outcome uint8

const (
	uncertain outcome = iota // no answer, or one that says so: it may exist
	acked                    // it exists, with an id
	refused                  // it surely does not exist by this attempt
)

func (o outcome) String() string { return [...]string{"uncertain", "acknowledged", "refused"}[o] }

// attempt is one time that a publication was sent. Times count from the
// beginning of the trial.
type attempt struct {
	form         string // single, array, lines
	begun, ended time.Duration
	outcome      outcome
	id           id     // when acked
	said         string // error code or the network's fault
}

// publication is one numbered message.
type publication struct {
	channel   *channel
	n         int
	publisher int
	key       string // empty without one

	// Guarded by channel.mu until the trial is over.
	attempts []attempt
}

// sent returns when it was first sent; nobody can have had it before.
func (p *publication) sent() time.Duration { return p.attempts[0].begun }

// channel is what was published to one channel.
type channel struct {
	name string
	size int // bytes of padding, at most

	mu           sync.Mutex
	publications []*publication // number n at n-1; guarded by mu until the trial is over

	// Found by the judge.
	facts map[uint32][]fact // by epoch, in order
	open  int               // publications of which nobody knows whether they exist
}

// next makes the next publication of the channel.
func (c *channel) next(publisher int, key func(n int) string) *publication {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &publication{channel: c, n: len(c.publications) + 1, publisher: publisher}
	p.key = key(p.n)
	c.publications = append(c.publications, p)
	return p
}

// begin writes down an attempt that is about to be made and returns what
// writes down its end.
func (p *publication) begin(form string, at time.Duration) func(ended time.Duration, o outcome, i id, said string) {
	p.channel.mu.Lock()
	defer p.channel.mu.Unlock()
	k := len(p.attempts)
	p.attempts = append(p.attempts, attempt{form: form, begun: at, ended: -1, said: "no answer"})
	return func(ended time.Duration, o outcome, i id, said string) {
		p.channel.mu.Lock()
		defer p.channel.mu.Unlock()
		a := &p.attempts[k]
		a.ended, a.outcome, a.id, a.said = ended, o, i, said
	}
}

// restart is one end of the server and its next beginning.
type restart struct {
	killed time.Duration // the signal was sent
	up     time.Duration // the next one serves
	crash  bool          // SIGKILL: what is not on the disk may be lost
}

// book is all that is known of what was published in a trial.
type book struct {
	epochs
	begun    time.Time
	channels []*channel
	named    map[string]*channel
	restarts []restart // static once the trial is over
}

func newBook(channels []*channel) *book {
	b := &book{begun: time.Now(), channels: channels, named: make(map[string]*channel)}
	for _, c := range channels {
		b.named[c.name] = c
	}
	return b
}

// now returns the time since the beginning of the trial.
func (b *book) now() time.Duration { return time.Since(b.begun) }
