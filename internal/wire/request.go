package wire

import (
	"bytes"
	"strconv"
)

// Request is one frame from a client. Type says which of the other fields
// count.
type Request struct {
	Type string
	Wanted
	Channels []Wanted // the channels of a subscribe that names several
	Event    string
	Key      string
	Token    string
	Limit    int    // 0 when not given
	Data     []byte // JSON, aliases the frame
	Request  []byte // the client's own mark, echoed in the answer: a JSON string or number
}

// Wanted is a channel and from where on a client wants it.
type Wanted struct {
	Channel  string
	Since    ID   // the last message seen; zero when not given
	Presence bool // who comes and goes is wanted too
}

// The types of frames that a client sends.
const (
	TypeSubscribe   = "subscribe"
	TypeUnsubscribe = "unsubscribe"
	TypePublish     = "publish"
	TypeHistory     = "history"
	TypePresence    = "presence"
	TypeRefresh     = "refresh"
	TypePing        = "ping"
)

// Types lists the types of frames that a client sends, for error messages.
const Types = "subscribe, unsubscribe, publish, history, presence, refresh, ping"

const (
	maxMark  = 256 // bytes of a client's own mark
	maxLimit = 1000
)

var (
	wantedFields  = []string{"channel", "since", "presence"}
	requestFields = []string{"type", "channel", "since", "presence", "channels", "event", "key", "token", "limit", "data", "request"}
)

// ParseRequest reads a client's frame. Keys are matched exactly, known ones
// may stand once, others are ignored. The request is returned as far as it
// was read even with an error, so that the answer can carry its mark.
func ParseRequest(b []byte) (Request, error) {
	var r Request
	f := fields{known: requestFields}
	var fault error
	err := object(b, func(m member) error {
		if err := r.set(&f, m.key, m.value); err != nil && fault == nil {
			fault = err
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if fault == nil && r.Type == "" {
		fault = Errorf(BadRequest, `"type" is missing: {"type":"subscribe","channel":"news"}`)
	}
	return r, fault
}

func (r *Request) set(f *fields, key, value []byte) (err error) {
	name, err := f.next(key)
	if err != nil {
		return err
	}
	switch name {
	case "type":
		r.Type, err = f.text(name, value)
	case "channel", "since", "presence":
		err = r.Wanted.set(f, name, value)
	case "channels":
		r.Channels, err = wantedList(value)
	case "event":
		r.Event, err = f.text(name, value)
	case "key":
		r.Key, err = f.text(name, value)
	case "token":
		r.Token, err = f.text(name, value)
	case "limit":
		n, bad := strconv.Atoi(string(value))
		if bad != nil || n < 1 || n > maxLimit {
			return Errorf(BadRequest, `"limit" must be a number from 1 to %d`, maxLimit)
		}
		r.Limit = n
	case "data":
		r.Data = value
	case "request":
		if c := value[0]; c != '"' && c != '-' && (c < '0' || c > '9') || len(value) > maxMark {
			return Errorf(BadRequest, `"request" must be a string or a number of at most %d bytes`, maxMark)
		}
		r.Request = value
	}
	return err
}

// set reads one of wantedFields. null counts as not given.
func (w *Wanted) set(f *fields, name string, value []byte) (err error) {
	switch {
	case name == "channel":
		w.Channel, err = f.text(name, value)
	case string(value) == "null":
	case name == "since":
		var text string
		if text, err = f.text(name, value); err == nil {
			if w.Since, err = ParseID(text); err != nil {
				return Errorf(BadRequest, `"since" is no id: %s`, err)
			}
		}
	case name == "presence":
		if w.Presence = string(value) == "true"; !w.Presence && string(value) != "false" {
			return Errorf(BadRequest, `"presence" must be true or false`)
		}
	}
	return err
}

// mostAtOnce is for how many channels of one frame there is room from the
// start; most frames name fewer.
const mostAtOnce = 256

var errList = Errorf(BadRequest, `"channels" must be a list of objects: [{"channel":"news"}]`)

// wantedList reads [{"channel":"a","since":"…"},{"channel":"b"}].
func wantedList(value []byte) ([]Wanted, error) {
	if value[0] != '[' {
		return nil, errList
	}
	list := make([]Wanted, 0, min(bytes.Count(value, []byte{'{'}), mostAtOnce))
	s := scanner{b: value, i: 1}
	for s.space(); !s.at(']'); s.space() {
		if s.at(',') {
			s.i++
			continue
		}
		if !s.at('{') {
			return nil, errList
		}
		f := fields{known: wantedFields}
		var w Wanted
		err := s.members(1, func(m member) error {
			known, err := f.next(m.key)
			if err == nil && known != "" {
				err = w.set(&f, known, m.value)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		return nil, errList
	}
	return list, nil
}
