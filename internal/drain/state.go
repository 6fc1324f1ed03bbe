package drain

import "fmt"

// State is how far a server is on its way out. A drain goes through the
// states in their order, and back to Serving when it is called off; only a
// limit that is made longer takes it from Shedding back to Waiting.
type State uint8

// The states, with what new sessions, connected sessions and publishers get.
const (
	Serving    State = iota // everybody is welcome
	Announcing              // so still, but all are told, newcomers too
	Waiting                 // new sessions are refused; the others get full service until they leave
	Shedding                // the same, but they are closed one after the other, evenly until the limit
	Forcing                 // those that are left are being closed; publishes are refused
	Stopped                 // the process may exit
)

var stateNames = [...]string{"serving", "announcing", "waiting", "shedding", "forcing", "stopped"}

// States returns all states in their order.
func States() []State { return []State{Serving, Announcing, Waiting, Shedding, Forcing, Stopped} }

// String returns the state's name as logs and the HTTP interface show it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", s)
}

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
