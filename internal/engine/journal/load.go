package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine/journal/boltfile"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// Damage is one thing of a journal that could not be read.
type Damage struct {
	// Channel and Seq say which message it seems to be, as far as it says so
	// itself; empty and 0 otherwise.
	Channel string `json:"channel,omitempty"`
	Seq     uint64 `json:"seq,omitempty"`
	// What is what is wrong, in words.
	What string `json:"what"`
}

func (d Damage) String() string {
	if d.Channel == "" {
		return d.What
	}
	return fmt.Sprintf("channel %s, seq %d: %s", wire.Quote(d.Channel), d.Seq, d.What)
}

// maxDamage bounds how much damage is listed.
const maxDamage = 1000

// DamageError says that a journal cannot be read well enough to go on with
// it.
type DamageError struct {
	Dir  string
	What string
}

// Error says how to see more and how to go on, in four lines.
func (e *DamageError) Error() string {
	path := filepath.Join(e.Dir, fileName)
	return fmt.Sprintf("the journal in %s is damaged: %s\n"+
		"see more: holdfast journal check %s\n"+
		"save what can be read: holdfast journal check --repair %s\n"+
		"or go on without it: mv %s %s.away", e.Dir, e.What, e.Dir, e.Dir, path, path)
}

// contents are what a file has, but the messages.
type contents struct {
	epoch string
	heads heads
	keys  []keyRecord
	notes [ledger.Shards][]byte
	state map[string][]byte

	size    int64
	records int                   // messages that are whole
	count   [ledger.Shards]uint64 // records that are whole, by shard
	sum     [ledger.Shards]uint64
	bytes   int64  // of their values
	high    uint64 // highest position

	torn     bool             // one of the file's two heads is damaged
	faults   []boltfile.Fault // of the file's structure
	lost     []string         // what a server cannot do without and is not there
	headless bool             // among that is what makes it a journal: nothing can be saved
	damage   []Damage         // records left out, and keys
	damaged  int              // how many
	odd      bool             // the file is not to be changed as it is
	changed  bool             // somebody wrote while it was read
}

// errNoJournal says that a folder has no journal.
var errNoJournal = errors.New("there is no journal")

// load reads the file of a folder and hands each message that is whole to
// visit, in the order in which they were written; what it hands over is valid
// until visit returns.
func load(dir string, visit func(r *record)) (*contents, error) {
	path := filepath.Join(dir, fileName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoJournal
	}
	if err != nil {
		return nil, fmt.Errorf("the journal %s cannot be opened: %w", path, reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("the journal %s cannot be opened: %w", path, reason(err))
	}
	file, err := boltfile.Open(f, info.Size())
	if err != nil {
		return nil, &DamageError{Dir: dir, What: err.Error()}
	}
	c := &contents{state: make(map[string][]byte), size: info.Size(), torn: !file.WholeHead()}
	seen := make(map[string]bool)
	file.Walk(func(bucket string, key, value []byte) {
		if string(bucketHead) == bucket {
			seen[string(key)] = true
		}
		c.read(bucket, key, value, visit)
	})
	for _, name := range [...]string{headFormat, headEpoch, headShards} {
		if !seen[name] {
			c.lost, c.headless = append(c.lost, "it has no "+name), true
		}
	}
	c.odd = file.Odd() || c.torn || c.damaged > 0
	c.faults, c.changed = file.Faults(), file.Changed()
	return c, nil
}

// read takes one item of the file.
func (c *contents) read(bucket string, key, value []byte, visit func(r *record)) {
	switch bucket {
	case string(bucketMessages):
		r, err := parseRecord(key, value)
		if err != nil {
			c.leaveOut(r.channel, r.seq, "a message is "+err.Error())
			return
		}
		shard := ledger.Shard(r.channel)
		if r.kind == chanlog.Message {
			c.records++
		}
		c.count[shard]++
		c.sum[shard] += r.pos
		c.bytes += int64(len(value))
		c.high = r.pos
		visit(&r)
	case string(bucketKeys):
		k, err := parseKey(key, value)
		if err != nil {
			c.leaveOut("", 0, "an idempotency key is "+err.Error())
			return
		}
		c.keys = append(c.keys, k)
	case string(bucketHead):
		if err := c.readHead(string(key), value); err != nil {
			c.lost, c.headless = append(c.lost, fmt.Sprintf("its %s: %v", key, err)), true
		}
	case string(bucketNotes):
		c.readNotes(key, value)
	case string(bucketState):
		text, err := unseal(value, string(key))
		if err != nil {
			c.lost = append(c.lost, fmt.Sprintf("state %q: %v", key, err))
			return
		}
		c.state[string(key)] = append([]byte{}, text...)
	}
}

func (c *contents) readHead(name string, value []byte) error {
	switch name {
	case headShards:
		return c.heads.decode(value)
	case headEpoch:
		epoch, err := unseal(value, name)
		if err != nil {
			return err
		}
		if _, err = wire.ParseID(string(epoch) + "-1"); err != nil {
			return errors.New("no epoch can be that")
		}
		c.epoch = string(epoch)
	case headFormat:
		text, err := unseal(value, name)
		if err != nil {
			return err
		}
		if string(text) != format {
			return fmt.Errorf("the file says that it is a %q; this program reads a %q", text, format)
		}
	}
	return nil
}

// readNotes takes the notes of a shard; without them more is called gone than
// is.
func (c *contents) readNotes(key, value []byte) {
	if len(key) == 1 && int(key[0]) < ledger.Shards {
		if text, err := unseal(value, string(key)); err == nil {
			c.notes[key[0]] = append([]byte{}, text...)
			return
		}
	}
	c.leaveOut("", 0, "notes of a shard are damaged")
}

func (c *contents) leaveOut(channel string, seq uint64, what string) {
	c.damaged++
	if len(c.damage) < maxDamage {
		if wire.CheckChannel(channel) != nil {
			channel, seq = "", 0
		}
		c.damage = append(c.damage, Damage{Channel: channel, Seq: seq, What: what})
	}
}

// fatal returns why a server cannot go on with the file, nil when it can.
func (c *contents) fatal(dir string) error {
	switch {
	case len(c.faults) > 0:
		return &DamageError{dir, fmt.Sprintf("%v (%d places in all)", c.faults[0], len(c.faults))}
	case len(c.lost) > 0:
		return &DamageError{dir, c.lost[0]}
	}
	return nil
}

// suspect reports whether messages of a shard are missing that the file says
// it has.
func (c *contents) suspect(shard int) bool {
	h := &c.heads.shards[shard]
	return c.count[shard] != h.count || c.sum[shard] != h.sum
}
