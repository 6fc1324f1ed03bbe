package handover

import "fmt"

// Side is who says something.
type Side uint8

// The sides.
const (
	ByOld Side = iota // the process that serves
	ByNew             // its successor
)

func (s Side) String() string { return [...]string{"the old process", "the new process"}[s] }

// Kind is what is said.
type Kind uint8

// The kinds of messages. Their numbers are the same in all formats up to
// Refuse.
const (
	Hello     Kind = iota + 1 // new: ready; format, version, pid, descriptors
	Refuse                    // either: no, and why; ends the conversation
	Listeners                 // old: with descriptors
	Ready                     // new: has the listeners, accepts nothing yet
	Engine                    // old: the engine follows; with the descriptor of a link
	Chunk                     // old: a part of what the engine knows
	End                       // old: that was all of it
	Prepared                  // new: knows it
	Own                       // old: lets go of the engine
	Owned                     // new: has it
	Batch                     // old: sessions, with descriptors
	Adopted                   // new: has them, and lets them stand still
	Go                        // old: lets go of them
	Running                   // new: has them
	Goodbye                   // old: that was all
	kinds
)

var kindNames = [kinds]string{"", "hello", "refuse", "listeners", "ready", "engine", "chunk", "end", "prepared", "own", "owned", "batch", "adopted", "go", "running", "goodbye"}

func (k Kind) String() string {
	if k < kinds && k > 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Stage is how far a conversation has come.
type Stage uint8

// The stages, named for what is being done.
const (
	Starting  Stage = iota // the new process gets ready
	Checking               // the old one looks whether they fit
	Listening              // the new one takes the listeners
	Pausing                // the old one has publishes wait
	Exporting              // the old one writes what the engine knows
	Importing              // the new one reads it
	LettingGo              // the old one is about to let go of the engine
	Taking                 // the new one takes it up
	Moved                  // the engine has moved; sessions may follow
	Adopting               // the new one takes sessions over
	Releasing              // the old one is about to let go of them
	Resuming               // the new one takes them up
	Over                   // nothing more is said
	stages
)

var stageNames = [stages]string{
	"the new process got ready", "the two processes compared versions", "the listeners were passed", "publishing was paused",
	"the history was written", "the history was read", "ownership was let go", "ownership was taken up",
	"sessions were parked", "sessions were passed", "sessions were let go", "sessions were taken up", "it was over",
}

// String completes "the handover failed while …".
func (s Stage) String() string { return stageNames[s] }

type said struct {
	stage Stage
	by    Side
	kind  Kind
}

// grammar is the whole conversation.
var grammar = map[said]Stage{
	{Starting, ByNew, Hello}:     Checking,
	{Checking, ByOld, Listeners}: Listening,
	{Listening, ByNew, Ready}:    Pausing,
	{Pausing, ByOld, Engine}:     Exporting,
	{Exporting, ByOld, Chunk}:    Exporting,
	{Exporting, ByOld, End}:      Importing,
	{Importing, ByNew, Prepared}: LettingGo,
	{LettingGo, ByOld, Own}:      Taking,
	{Taking, ByNew, Owned}:       Moved,
	{Moved, ByOld, Batch}:        Adopting,
	{Adopting, ByNew, Adopted}:   Releasing,
	{Releasing, ByOld, Go}:       Resuming,
	{Resuming, ByNew, Running}:   Moved,
	{Moved, ByOld, Goodbye}:      Over,
	{Starting, ByNew, Refuse}:    Over,
	{Checking, ByOld, Refuse}:    Over,
	{Listening, ByNew, Refuse}:   Over,
	{Listening, ByOld, Refuse}:   Over,
	{Pausing, ByOld, Refuse}:     Over,
	{Exporting, ByOld, Refuse}:   Over,
	{Exporting, ByNew, Refuse}:   Over,
	{Importing, ByNew, Refuse}:   Over,
	{Importing, ByOld, Refuse}:   Over,
	{LettingGo, ByOld, Refuse}:   Over,
}

// After returns the stage after somebody has said something, and whether that
// could be said.
func (s Stage) After(by Side, k Kind) (Stage, bool) {
	next, ok := grammar[said{s, by, k}]
	return next, ok
}

// EngineOf returns who has the engine when the conversation ends at a stage,
// as the given side knows it: each hears of Own and Owned at another time.
func (s Stage) EngineOf(side Side) Side {
	if s >= Moved || s == Taking && side == ByNew {
		return ByNew
	}
	return ByOld
}

// BatchOf returns the same of the sessions that are being moved.
func (s Stage) BatchOf(side Side) Side {
	if s == Resuming && side == ByNew || s < Adopting || s == Over {
		return ByNew
	}
	return ByOld
}
