package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// Survey is what a journal holds and what is wrong with it.
type Survey struct {
	Dir   string `json:"dir"`
	Epoch string `json:"epoch,omitempty"`
	// Holder is the process that has the folder, 0 for none or one unknown.
	Holder int  `json:"holder,omitempty"`
	InUse  bool `json:"in_use"`

	Channels int        `json:"channels"`
	Messages int        `json:"messages"`
	Bytes    int64      `json:"bytes"`      // of the messages, as they stand in the file
	File     int64      `json:"file_bytes"` // of the whole file
	Oldest   *time.Time `json:"oldest,omitempty"`
	Newest   *time.Time `json:"newest,omitempty"`
	Keys     int        `json:"keys"` // idempotency keys

	// Open is in how many of the 64 shards the next start would find that
	// messages may be missing. While a server runs, that is nothing odd.
	Open int `json:"open"`
	// Damaged is how much is left out, Damage lists a thousand of it.
	Damaged int      `json:"damaged"`
	Damage  []Damage `json:"damage,omitempty"`
	// Refused is why a server would refuse to start with it, empty when it
	// would not.
	Refused string `json:"refused,omitempty"`

	// Top are the channels with the most bytes, the first that first.
	Top []ChannelSurvey `json:"top,omitempty"`
}

// ChannelSurvey is what a journal holds of one channel.
type ChannelSurvey struct {
	Channel  string    `json:"channel"`
	Messages int       `json:"messages"`
	Bytes    int64     `json:"bytes"`
	Oldest   time.Time `json:"oldest"`
	Newest   time.Time `json:"newest"`
	ID       wire.ID   `json:"-"` // of the newest
}

// Sound reports whether nothing is wrong.
func (s *Survey) Sound() bool { return s.Damaged == 0 && s.Refused == "" }

// changedTries is how often a file that changes while it is read is read
// again.
const changedTries = 20

// Examine reads the journal in a folder, which a server may be using, and
// changes nothing. top is how many channels are listed.
func Examine(dir string, top int) (*Survey, error) {
	for range changedTries {
		s, changed, err := examine(dir, top)
		if err != nil || !changed {
			return s, err
		}
	}
	return nil, fmt.Errorf("the journal in %s changes faster than it can be read; stop the server, or look at a copy of %s", dir, fileName)
}

func examine(dir string, top int) (_ *Survey, changed bool, err error) {
	s := &Survey{Dir: dir}
	if s.Holder, s.InUse, err = lockHolder(filepath.Join(dir, lockName)); err != nil {
		return nil, false, err
	}
	channels := make(map[string]*ChannelSurvey)
	c, err := load(dir, func(r *record) { s.count(channels, r) })
	if damaged, ok := errors.AsType[*DamageError](err); ok {
		s.Refused = damaged.What
		return s, false, nil
	}
	if errors.Is(err, errNoJournal) {
		return nil, false, fmt.Errorf("there is no journal in %s: no file %s", dir, fileName)
	}
	if err != nil {
		return nil, false, err
	}
	s.fill(c)
	for channel, one := range channels {
		s.add(channel, one)
	}
	slices.SortFunc(s.Top, func(a, b ChannelSurvey) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Channel, b.Channel))
	})
	s.Top = s.Top[:min(top, len(s.Top))]
	return s, c.changed, nil
}

// fill takes over what is not of single channels.
func (s *Survey) fill(c *contents) {
	s.Epoch, s.File, s.Keys = c.epoch, c.size, len(c.keys)
	s.Damaged, s.Damage = c.damaged, c.damage
	if damaged, ok := errors.AsType[*DamageError](c.fatal(s.Dir)); ok {
		s.Refused = damaged.What
	}
	for _, f := range c.faults {
		s.Damage = append(s.Damage, Damage{What: f.Error()})
	}
	s.Damaged += len(c.faults)
	if c.torn {
		s.Damaged++
		s.Damage = append(s.Damage, Damage{What: "one of the two heads of the file: the newest transaction may be missing"})
	}
	for shard := range ledger.Shards {
		if c.heads.shards[shard].condition == ahead {
			s.Open++
		}
		if h := &c.heads.shards[shard]; c.suspect(shard) && len(c.faults) == 0 && len(c.lost) == 0 {
			s.Damaged++
			s.Damage = append(s.Damage, Damage{What: fmt.Sprintf("shard %d has %d whole messages and should have %d", shard, c.count[shard], h.count)})
		}
	}
}

// count takes in one message.
func (s *Survey) count(channels map[string]*ChannelSurvey, r *record) {
	c := channels[r.channel]
	if c == nil {
		c = &ChannelSurvey{Channel: r.channel}
		channels[r.channel] = c
	}
	at := time.Unix(int64(r.at), 0).UTC()
	if r.first || c.Messages == 0 {
		*c = ChannelSurvey{Channel: r.channel, Oldest: at}
	}
	if r.kind != chanlog.Message {
		return
	}
	c.Messages++
	c.Bytes += int64(len(r.json))
	c.Newest, c.ID.Seq = at, r.seq
}

// add takes in one channel.
func (s *Survey) add(channel string, c *ChannelSurvey) {
	c.ID.Epoch = s.Epoch
	s.Channels++
	s.Messages += c.Messages
	s.Bytes += c.Bytes
	if s.Oldest == nil || c.Oldest.Before(*s.Oldest) {
		s.Oldest = &c.Oldest
	}
	if s.Newest == nil || c.Newest.After(*s.Newest) {
		s.Newest = &c.Newest
	}
	s.Top = append(s.Top, *c)
}

// lockHolder says whether a process has the lock, and which.
func lockHolder(path string) (pid int, held bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("the lock file %s cannot be opened: %w", path, reason(err))
	}
	defer f.Close() // and with it the lock, if it was free
	if held, err = flock(f); held {
		pid = holder(f)
	}
	return pid, held, err
}

// Repair saves what can be read of a damaged journal: the file is written
// anew from it, with gaps where something is missing, and the old one is kept
// beside it, as the path that is returned. A journal that is sound is left
// alone, and the path is empty. No server may be using the folder.
func Repair(dir string) (kept string, report Report, err error) {
	survey, err := Examine(dir, 0)
	if err != nil {
		return "", Report{}, err
	}
	if survey.InUse {
		return "", Report{}, &UseError{Dir: dir, PID: survey.Holder}
	}
	if survey.Sound() {
		return "", Report{Messages: survey.Messages, Channels: survey.Channels}, nil
	}
	// What each channel keeps is for the server to say.
	everything := ledger.Rules{Default: ledger.Keep{Messages: 1 << 40}}
	e, err := openEngine(Config{Dir: dir, Rules: everything, MaxBytes: 1 << 50}, nobody{}, true)
	if err != nil {
		return "", Report{}, err
	}
	if refusal := e.Refusal(); refusal != nil {
		_ = e.Close()
		return "", Report{}, fmt.Errorf("the journal cannot be written anew: %w", refusal)
	}
	return filepath.Join(dir, savedName), e.Report(), e.Close()
}
