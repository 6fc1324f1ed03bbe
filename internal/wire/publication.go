package wire

import "time"

// Publication is what a publisher hands in: a message that has no place in
// its channel yet.
type Publication struct {
	Channel string
	Event   string
	Key     string // idempotency key
	Data    []byte // JSON without white space between tokens
}

// ParsePublication reads one publication of a batch:
// {"channel":…,"data":…,"event":…,"key":…}. Keys are matched exactly, known
// ones may stand once, others are ignored. Data aliases line unless white
// space had to go.
func ParsePublication(line []byte) (Publication, error) {
	var p Publication
	f := fields{known: publicationFields}
	err := object(line, func(m member) (err error) {
		switch known, err := f.next(m.key); {
		case err != nil:
			return err
		case known == "channel":
			p.Channel, err = f.text("channel", m.value)
			return err
		case known == "event":
			p.Event, err = f.text("event", m.value)
			return err
		case known == "key":
			p.Key, err = f.text("key", m.value)
			return err
		case known == "data":
			if p.Data = m.value; m.spaced {
				p.Data = compacted(m.value)
			}
		}
		return nil
	})
	if err != nil {
		return Publication{}, err
	}
	if p.Data == nil {
		return Publication{}, Errorf(BadRequest, `"data" is missing: {"channel":"news","data":"hi"}`)
	}
	return p, p.Check()
}

// Check returns nil when channel, event and key follow their grammar. It
// does not look at Data.
func (p Publication) Check() error {
	if err := CheckChannel(p.Channel); err != nil {
		return err
	}
	if err := CheckEvent(p.Event); err != nil {
		return err
	}
	return CheckKey(p.Key)
}

// fields keeps count of the keys seen in one object.
type fields struct {
	known []string
	seen  uint32
}

var publicationFields = []string{"channel", "data", "event", "key"}

// next says which known field key is, "" for none of them.
func (f *fields) next(key []byte) (string, error) {
	for i, name := range f.known {
		if string(key) != name {
			continue
		}
		if f.seen&(1<<i) != 0 {
			return "", Errorf(BadRequest, "%q stands twice", name)
		}
		f.seen |= 1 << i
		return name, nil
	}
	return "", nil
}

func (f *fields) text(name string, value []byte) (string, error) {
	s, ok := text(value)
	if !ok {
		return "", Errorf(BadRequest, "%q must be a string", name)
	}
	return s, nil
}

// TimeFormat is how times stand in frames and answers: RFC 3339 with
// milliseconds, UTC.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// AppendTime appends t in TimeFormat.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, TimeFormat)
	}
	// Each message has a time: this takes a fifth of what AppendFormat does.
	hour, minute, second := t.Clock()
	dst = appendTwo(dst, year/100)
	dst = append(appendTwo(dst, year%100), '-')
	dst = append(appendTwo(dst, int(month)), '-')
	dst = append(appendTwo(dst, day), 'T')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	dst = append(appendTwo(dst, second), '.')
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(appendTwo(dst, ms/10), '0'+byte(ms%10), 'Z')
}

func appendTwo(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }
