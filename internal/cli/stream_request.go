package cli

import "strings"

// Bounds of what is asked for at once. A server takes 16 KiB of headers and
// frames of 64 KiB; what does not fit into the query is asked for by frames.
const (
	longestQuery   = 4 << 10
	longestRequest = 16 << 10
)

// query names the first channels, as many as fit, and where each is resumed
// from. It returns those that did not fit.
func (s *stream) query() (query string, rest []string) {
	var since []string
	var names []string
	length := 0
	for i, name := range s.channels {
		id := s.places.since(name)
		length += 2*len(name) + len(id) + 3
		if i > 0 && length > longestQuery {
			rest = s.channels[i:]
			break
		}
		names = append(names, name)
		if id != "" {
			since = append(since, name+":"+id)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	query = "channels=" + strings.Join(names, ",")
	switch {
	case len(since) == 0:
	case len(names) == 1:
		query += "&since=" + s.places.since(names[0])
	default:
		query += "&since=" + strings.Join(since, ",")
	}
	return query, rest
}

// subscribeFrames asks for the channels that the query had no room for.
func (s *stream) subscribeFrames(channels []string) (frames [][]byte) {
	var frame []byte
	for _, name := range channels {
		if frame == nil {
			frame = append(frame, `{"type":"subscribe","channels":[`...)
		} else {
			frame = append(frame, ',')
		}
		frame = append(frame, `{"channel":"`+name...)
		if id := s.places.since(name); id != "" {
			frame = append(frame, `","since":"`+id...)
		}
		frame = append(frame, `"}`...)
		if len(frame) > longestRequest {
			frames, frame = append(frames, append(frame, "]}"...)), nil
		}
	}
	if frame != nil {
		frames = append(frames, append(frame, "]}"...))
	}
	return frames
}
