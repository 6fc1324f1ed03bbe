package wire

import "strings"

// ParseSince reads the since of a connection: one id, which counts for the
// only channel named or, where none is named, for broadcast; or one for each
// of several channels, "a:<id>,b:<id>". names are the channels that the
// client asked for; broadcast and the channel of user, if any, it has
// anyway. The places are returned by channel.
func ParseSince(s string, names []string, user string) (map[string]ID, error) {
	if id, err := ParseID(s); err == nil {
		switch len(names) {
		case 0:
			return map[string]ID{Broadcast: id}, nil
		case 1:
			return map[string]ID{names[0]: id}, nil
		}
		return nil, Errorf(BadRequest, "since is one id and %d channels are named; give each its own: since=%s:%s,…", len(names), names[0], id)
	}
	places := make(map[string]ID)
	named := make(map[string]bool, len(names)) // a request has room for thousands
	for _, name := range names {
		named[name] = true
	}
	for part := range strings.SplitSeq(s, ",") {
		i := strings.LastIndexByte(part, ':')
		if i < 0 {
			return nil, Errorf(BadRequest, "since %s is no id: %s", Quote(part), errID)
		}
		name := part[:i]
		id, err := ParseID(part[i+1:])
		if err != nil {
			return nil, Errorf(BadRequest, "since of channel %s is no id: %s", Quote(name), err)
		}
		if _, twice := places[name]; twice {
			return nil, Errorf(BadRequest, "since names channel %s twice", Quote(name))
		}
		if name != Broadcast && (user == "" || name != UserPrefix+user) && !named[name] {
			return nil, Errorf(BadRequest, "since names channel %s, which is not among the channels asked for", Quote(name))
		}
		places[name] = id
	}
	return places, nil
}
