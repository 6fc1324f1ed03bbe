package transport

import (
	"bytes"
	"strings"
)

// told is one event as a browser hands it to a page.
type told struct{ kind, id, data string }

// parser reads an event stream as the HTML Living Standard says in section
// 9.2.6, bytes in any pieces.
type parser struct {
	events []told // dispatched and not taken
	retry  string // the last one
	id     string // of the last event that was whole: what a browser comes back with
	beats  int    // comments

	line        []byte
	afterCR     bool
	kind, newID string
	data        []string
}

func (p *parser) feed(b []byte) {
	for len(b) > 0 {
		if b[0] == '\n' && p.afterCR {
			b, p.afterCR = b[1:], false
			continue
		}
		p.afterCR = false
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			p.line = append(p.line, b...)
			return
		}
		p.endLine(string(append(p.line, b[:i]...)))
		p.line, p.afterCR, b = p.line[:0], b[i] == '\r', b[i+1:]
	}
}

func (p *parser) endLine(line string) {
	if line == "" {
		p.id = p.newID
		if p.data != nil {
			p.events = append(p.events, told{p.kind, p.id, strings.Join(p.data, "\n")})
		}
		p.kind, p.data = "", nil
		return
	}
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "":
		p.beats++
	case "event":
		p.kind = value
	case "data":
		p.data = append(p.data, value)
	case "id":
		if !strings.Contains(value, "\x00") {
			p.newID = value
		}
	case "retry":
		p.retry = value
	}
}

// take returns the events since the last call.
func (p *parser) take() []told {
	taken := p.events
	p.events = nil
	return taken
}

// lines turns all line ends into LF, as the data of an event has them.
func lines(data []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}
