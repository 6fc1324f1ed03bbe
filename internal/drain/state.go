package drain

import "fmt"

// State is how far a server is on its way out. A drain goes through the
// states in their order and never back.
type State uint8

// The states, with what new sessions, connected sessions and publishers get.
const (
	Serving State = iota // everybody is welcome
	Waiting              // new sessions are refused; the others get full service until they leave
	Forcing              // sessions are being closed; publishes are refused
	Stopped              // the process may exit
)

var stateNames = [...]string{Serving: "serving", Waiting: "waiting", Forcing: "forcing", Stopped: "stopped"}

// String returns the state's name as logs and the HTTP interface show it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", s)
}

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
