package handover

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Format is the version of the conversation.
const Format = 1

// MostDescriptors is how many can be sent in one message (SCM_MAX_FD).
const MostDescriptors = 253

// maxPayload bounds what a message has beside descriptors, in bytes.
const maxPayload = 512 << 20

// message is one thing said.
type message struct {
	kind    Kind
	payload []byte
	fds     []int
}

// pipe carries messages. A message that is received owns its descriptors.
type pipe interface {
	send(m message) error
	receive() (message, error)
}

// Greeting is what a new process says of itself.
type Greeting struct {
	Format  int    `json:"format"`
	Version string `json:"version"` // of the program
	PID     int    `json:"pid"`
	// Limit is how many descriptors it may have, Open how many it has.
	Limit uint64 `json:"limit"`
	Open  int    `json:"open"`
	// Reads lists the versions of session and engine state that it reads.
	Reads []int `json:"reads"`
}

type refusal struct {
	Why string `json:"why"`
}

// Listener is a socket that accepts connections.
type Listener struct {
	Name string // by which both processes know it
	FD   int
}

type listenerNames struct {
	Names []string `json:"names"`
}

// Session is one session at rest. State is known to those who made it.
type Session struct {
	FD    int
	State []byte
}

// Refused is a session of a batch that the new process could not take.
type Refused struct {
	Index int    `json:"index"` // in the batch
	Why   string `json:"why"`
}

type adopted struct {
	Refused []Refused `json:"refused,omitempty"`
}

func encode(k Kind, v any) message {
	payload, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers
	}
	return message{kind: k, payload: payload}
}

func (m *message) decode(v any) error {
	if err := json.Unmarshal(m.payload, v); err != nil {
		return fmt.Errorf("%v is damaged: %w", m.kind, err)
	}
	return nil
}

// encodeBatch: how many, then each state behind its length, as uvarints.
func encodeBatch(list []Session) message {
	m := message{kind: Batch, payload: binary.AppendUvarint(nil, uint64(len(list)))}
	for _, s := range list {
		m.payload = binary.AppendUvarint(m.payload, uint64(len(s.State)))
		m.payload = append(m.payload, s.State...)
		m.fds = append(m.fds, s.FD)
	}
	return m
}

var errBatch = errors.New("a batch is damaged")

// decodeBatch returns sessions whose State aliases the message.
func decodeBatch(m *message) ([]Session, error) {
	rest := m.payload
	number := func() uint64 {
		n, k := binary.Uvarint(rest)
		if k <= 0 {
			return maxPayload + 1
		}
		rest = rest[k:]
		return n
	}
	if n := number(); n != uint64(len(m.fds)) || n > MostDescriptors {
		return nil, errBatch
	}
	list := make([]Session, 0, len(m.fds))
	for _, fd := range m.fds {
		n := number()
		if n > uint64(len(rest)) {
			return nil, errBatch
		}
		list = append(list, Session{FD: fd, State: rest[:n:n]})
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return nil, errBatch
	}
	return list, nil
}
