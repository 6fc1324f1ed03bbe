package drain

import "fmt"

// Kind is what a signal asks for.
type Kind uint8

// The kinds of signals.
const (
	Terminate Kind = iota + 1 // SIGTERM: drain; the second time, hurry
	Interrupt                 // SIGINT: drain; the second time, force
	Status                    // SIGUSR1: say once how it stands
)

var kindNames = [...]string{Terminate: "SIGTERM", Interrupt: "SIGINT", Status: "SIGUSR1"}

// String returns the signal's usual name.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", k)
}
