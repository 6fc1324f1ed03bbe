package ws

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReader feeds any bytes, cut anywhere. Whatever is emitted must keep to
// the limits, and must not depend on the cuts.
func FuzzReader(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 20 {
		lim := Limits{MaxMessage: 100, Deflate: i%2 == 0, Client: i%3 == 0}
		f.Add(conversation(random, lim), uint64(i), 100, lim.Deflate, lim.Client)
	}
	f.Add([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, uint64(0), 1<<20, false, false)
	f.Add(join(client(0x41, "\xf2\x48\xcd"), client(0x80, "\xc9\xc9\x07\x00")), uint64(0), 1<<20, true, false)
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, limit int, deflate, client bool) {
		lim := Limits{MaxMessage: max(0, limit%(1<<17)), Deflate: deflate, Client: client}
		samePieces(t, in, lim, rand.New(rand.NewPCG(seed, 0)))
		var r Reader
		err := r.Feed(bytes.Clone(in), lim, func(m Message) error {
			checkMessage(t, m, lim)
			return nil
		})
		if fault, ok := errors.AsType[*CloseError](err); err != nil && (!ok || !slices.Contains([]uint16{1002, 1007, 1009}, fault.Code)) {
			t.Errorf("Feed returns %v, want a CloseError with 1002, 1007 or 1009", err)
		}
	})
}

func checkMessage(t *testing.T, m Message, lim Limits) {
	most := lim.MaxMessage
	switch m.Op {
	case Text, Binary:
	case Close, Ping, Pong:
		most = maxControl
	default:
		t.Errorf("emitted %v", m.Op)
	}
	if len(m.Data) > max(most, 0) {
		t.Errorf("%v of %d bytes, over %d", m.Op, len(m.Data), most)
	}
	if (m.Op == Text || m.Op == Close) && !utf8.Valid(m.Data) {
		t.Errorf("%v is not UTF-8: %q", m.Op, m.Data)
	}
	if (m.Op == Close) != (m.Code != 0) {
		t.Errorf("%v with code %d", m.Op, m.Code)
	}
}

// FuzzInflate inflates any bytes, and compares with the flate package used
// plainly; and what Deflate makes of them must come back.
func FuzzInflate(f *testing.F) {
	f.Add([]byte(""), 10, false)
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), 5, true)
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), 4, true)
	f.Add([]byte(final("Hello")+"\xf2\x00\x11\x00\x00"), 10, true)
	f.Add([]byte(final("a", "b", "\xe2\x82")), 100, true)
	f.Add(Deflate(nil, make([]byte, 1<<16)), 1<<10, false)
	f.Fuzz(func(t *testing.T, in []byte, limit int, text bool) {
		lim := Limits{MaxMessage: max(limit, -limit, 0) % (1 << 18), Deflate: true}
		z := inflaters.Get().(*inflater)
		defer z.release()
		got, err := z.inflate(in, text, lim)
		if len(got) > lim.MaxMessage || cap(z.out) > max(lim.MaxMessage+1, maxKept) {
			t.Fatalf("%d bytes in a buffer of %d, the limit is %d", len(got), cap(z.out), lim.MaxMessage)
		}
		if len(in) > 0 {
			compareInflated(t, in, got, err, text, lim)
		}
		z.out = z.out[:0]
		lim.MaxMessage = len(in)
		if back, err := z.inflate(Deflate(nil, in), false, lim); err != nil || !bytes.Equal(back, in) {
			t.Errorf("%d bytes come back as %d, error %v", len(in), len(back), err)
		}
	})
}

// compareInflated compares with what flate makes of the first run of blocks.
func compareInflated(t *testing.T, in, got []byte, err error, text bool, lim Limits) {
	plain := flate.NewReader(io.MultiReader(bytes.NewReader(in), strings.NewReader(deflateTail)))
	want, wantErr := io.ReadAll(io.LimitReader(plain, int64(lim.MaxMessage)+1))
	switch {
	case len(want) > lim.MaxMessage:
		if err == nil {
			t.Errorf("inflated %d bytes over a limit of %d", len(want), lim.MaxMessage)
		}
	case wantErr != nil:
		if err == nil {
			t.Errorf("inflated to %q, and flate says %v", got, wantErr)
		}
	case err == nil && !bytes.HasPrefix(got, want):
		t.Errorf("got %q, want %q", got, want)
	case err == nil && text && !utf8.Valid(got):
		t.Errorf("text is not UTF-8: %q", got)
	}
}

// FuzzHandshake checks any request head. An answer must be one that HTTP can
// carry and hold nothing that the client wrote.
func FuzzHandshake(f *testing.F) {
	f.Add(upgrade, true)
	f.Add(upgrade+"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=\"15\", ;=\"\\\n", true)
	f.Add(upgrade+"Sec-WebSocket-Protocol: holdfast.v1, bearer.x\nContent-Length: 0\n", false)
	f.Add(strings.Replace(upgrade, "13", "8", 1), false)
	f.Add("GET /ws HTTP/1.0\n", true)
	f.Fuzz(func(t *testing.T, head string, deflate bool) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n")))
		if err != nil {
			return
		}
		h, refusal := CheckHandshake(r, deflate)
		if refusal != nil {
			if refusal.Status != 400 && refusal.Status != 426 || refusal.Message == "" || h != (Handshake{}) {
				t.Errorf("refused with %+v, and %+v", refusal, h)
			}
			return
		}
		res := response(t, h)
		res.Header.Del("Sec-WebSocket-Accept")
		for name, values := range res.Header {
			for _, value := range values {
				if !slices.Contains(answers, name+": "+value) {
					t.Errorf("answered with %q: %q", name, value)
				}
			}
		}
		if res.StatusCode != 101 || h.Deflate && !deflate || len(h.Accept) != 28 {
			t.Errorf("answered with %d and %+v", res.StatusCode, h)
		}
	})
}

// answers are the header lines that an answer can have, but for the accept
// key.
var answers = []string{
	"Upgrade: websocket",
	"Connection: Upgrade",
	"Sec-Websocket-Protocol: holdfast.v1",
	"Sec-Websocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
	"Sec-Websocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15",
}
