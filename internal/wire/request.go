package wire

// Request is one frame from a client. Type says which of the other fields
// count.
type Request struct {
	Type     string
	Channel  string
	Channels []string // the channels of a subscribe that names several
	Event    string
	Key      string
	Data     []byte // JSON, aliases the frame
	Request  []byte // the client's own mark, echoed in the answer: a JSON string or number
}

// The types of frames that a client sends.
const (
	TypeSubscribe   = "subscribe"
	TypeUnsubscribe = "unsubscribe"
	TypePublish     = "publish"
	TypePing        = "ping"
)

// maxMark bounds the bytes of a client's own mark.
const maxMark = 256

var requestFields = []string{"type", "channel", "channels", "event", "key", "data", "request"}

// ParseRequest reads a client's frame. Keys are matched exactly, known ones
// may stand once, others are ignored. The request is returned as far as it
// was read even with an error, so that the answer can carry its mark.
func ParseRequest(b []byte) (Request, error) {
	var r Request
	f := fields{known: requestFields}
	var fault error
	err := object(b, func(key, value []byte) error {
		if err := r.set(&f, key, value); err != nil && fault == nil {
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
	case "channel":
		r.Channel, err = f.text(name, value)
	case "channels":
		r.Channels, err = channelList(value)
	case "event":
		r.Event, err = f.text(name, value)
	case "key":
		r.Key, err = f.text(name, value)
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

// channelList reads [{"channel":"a"},{"channel":"b"}].
func channelList(value []byte) ([]string, error) {
	shape := Errorf(BadRequest, `"channels" must be a list of objects: [{"channel":"news"}]`)
	if value[0] != '[' {
		return nil, shape
	}
	var names []string
	s := scanner{b: value, i: 1}
	for s.space(); !s.at(']'); s.space() {
		if s.at(',') {
			s.i++
			continue
		}
		if !s.at('{') {
			return nil, shape
		}
		f := fields{known: []string{"channel"}}
		var name string
		err := s.members(1, func(key, v []byte) error {
			known, err := f.next(key)
			if known != "" {
				name, err = f.text(known, v)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if names == nil {
		return nil, shape
	}
	return names, nil
}
