package hub

import (
	"unique"

	"holdfast.dev/holdfast/internal/wire"
)

// epoch is the epoch of a channel's ids, in half the room of a string: nearly
// all channels have the same one. The zero value is not known.
type epoch struct{ handle unique.Handle[string] }

func epochOf(id wire.ID) epoch {
	if id.Epoch == "" {
		return epoch{}
	}
	return epoch{unique.Make(id.Epoch)}
}

func (e epoch) known() bool { return e != epoch{} }

// String returns the epoch, "" where it is not known.
func (e epoch) String() string {
	if !e.known() {
		return ""
	}
	return e.handle.Value()
}
