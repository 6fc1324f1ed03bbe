package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// maxArray bounds the body of a JSON array of messages, in bytes, unless one
// message alone may be larger. It is held in memory as a whole; more than
// that belongs into a stream of lines.
const maxArray = 8 << 20

// publishMany takes many messages: a JSON array, or one a line. What it is,
// the content type says, or else the first byte.
func (a *api) publishMany(w http.ResponseWriter, r *http.Request) {
	s := newStream(a, w, r)
	defer s.budget.done()
	first, e := s.first()
	switch {
	case e != nil:
		refuse(w, e)
	case first == '{' || mediaType(r) == "application/x-ndjson":
		s.run()
	case first == '[':
		body := io.MultiReader(bytes.NewReader(s.buf[:s.end]), r.Body)
		r.Body = io.NopCloser(body)
		a.publishArray(w, r)
	default:
		refuse(w, wire.Errorf(wire.BadJSON, "not valid JSON at byte %d: expected messages, one object a line or an array of them", s.start+1))
	}
}

// publishArray takes an array. It publishes nothing of one that is not valid
// JSON as a whole; after that each element succeeds or fails by itself.
func (a *api) publishArray(w http.ResponseWriter, r *http.Request) {
	body, e := readBody(w, r, max(maxArray, a.MaxMessage+firstRead))
	if e != nil {
		refuse(w, e)
		return
	}
	if err := wire.CheckJSON(body); err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	p := publisher{api: a, ctx: r.Context(), last: time.Now(), unit: "item", budget: a.rates.budget(r)}
	defer p.budget.done()
	rc := http.NewResponseController(w)
	send := func() bool {
		rc.SetWriteDeadline(time.Now().Add(answerPatience))
		_, err := w.Write(p.out)
		p.out = p.out[:0]
		return err == nil
	}
	p.out = append(p.out, '[')
	for element := range elements(body) {
		if p.count > 0 {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, '\n')
		p.publish(element)
		if len(p.out) >= chunk && !send() {
			return
		}
	}
	p.out = append(p.out, "\n]\n"...)
	send()
}

// elements yields the elements of an array that is valid JSON.
func elements(array []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		depth, quoted, from := 0, false, 0
		for i := 0; i < len(array); i++ {
			switch c := array[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '[' || c == '{':
				if depth++; depth == 1 {
					from = i + 1
				}
			case depth == 1 && (c == ',' || c == ']'):
				element := bytes.Trim(array[from:i], jsonSpace)
				if len(element) > 0 && !yield(element) || c == ']' {
					return
				}
				from = i + 1
			case c == ']' || c == '}':
				depth--
			}
		}
	}
}

// publisher publishes messages one after the other and gathers the answers.
type publisher struct {
	api   *api
	ctx   context.Context
	unit  string    // what a message is one of: line, item
	count int       // of units so far
	last  time.Time // when the message before was dealt with
	out   []byte    // answers that are not sent yet
	// budget is what may still be sent; nil without a bound.
	budget *budget
	receipts
}

// publish publishes one message and appends the answer to out.
func (p *publisher) publish(text []byte) {
	p.count++
	if p.budget != nil && !p.budget.spend(p.last) {
		p.api.CountThrottled()
		p.fail(p.api.rates.refusal)
		return
	}
	m, err := wire.ParsePublication(text)
	if err == nil && len(m.Data) > p.api.MaxMessage {
		err = tooLarge(p.api.MaxMessage)
	}
	if err != nil {
		p.fail(err)
		return
	}
	receipt, err := p.api.Publisher.Publish(p.ctx, m)
	if err != nil {
		p.fail(err)
		return
	}
	now := time.Now()
	p.api.ObservePublish(now.Sub(p.last))
	p.last = now
	p.out = p.receipts.append(p.out, receipt)
}

// fail appends the answer to the latest message, which was not published.
func (p *publisher) fail(err error) {
	p.last = time.Now()
	e := refusal(err)
	p.api.CountRequestRefusal(e.Code)
	p.out = append(p.out, `{"`...)
	p.out = append(p.out, p.unit...)
	p.out = append(p.out, `":`...)
	p.out = appendInt(p.out, p.count)
	p.out = append(p.out, ',')
	p.out = appendError(p.out, e)
	p.out = append(p.out, '}')
}
