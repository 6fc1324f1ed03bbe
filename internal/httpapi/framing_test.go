package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

const postHead = "POST /v1/channels/a/messages HTTP/1.1\r\nHost: localhost\r\n"

func TestFraming_ARequestThatCanBeReadInTwoWaysIs400AndTheEnd(t *testing.T) {
	const smuggled = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, raw := range map[string]string{
		"length and coding":         postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"coding and length":         postHead + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\n7\r\n0\r\n\r\n" + smuggled,
		"in another case":           postHead + "transfer-encoding: Chunked\r\ncontent-LENGTH: 3\r\n\r\n0\r\n\r\n" + smuggled,
		"length of nothing":         postHead + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"bare line ends":            "POST /v1/messages HTTP/1.1\nHost: localhost\nContent-Length: 6\nTransfer-Encoding: chunked\n\n0\r\n\r\n" + smuggled,
		"two lengths":               postHead + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n77" + smuggled,
		"signed length":             postHead + "Content-Length: +1\r\n\r\n7" + smuggled,
		"list of lengths":           postHead + "Content-Length: 1, 1\r\n\r\n7" + smuggled,
		"folded length":             postHead + "Content-Length:\r\n 1\r\n\r\n7" + smuggled,
		"folded line":               "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n" + smuggled,
		"space before the colon":    postHead + "Content-Length : 1\r\n\r\n7" + smuggled,
		"HTTP/1.0 with both":        "POST /v1/channels/a/messages HTTP/1.0\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n7" + smuggled,
		"behind an innocent one":    "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"behind one with a body":    postHead + "Content-Length: 1\r\n\r\n7" + postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"a long run of white space": postHead + "Content-Length: " + strings.Repeat(" ", 100) + "1\r\n\r\n7" + smuggled,
	} {
		t.Run(name, func(t *testing.T) {
			v := newWorld(t)
			got := talk(t, v.serve(t), raw)
			last := got[max(0, strings.LastIndex(got, "HTTP/1.")):]
			if !strings.HasPrefix(last[min(len(last), 8):], " 400") || !strings.Contains(last, "Connection: close") || strings.Contains(got, `"pid"`) {
				t.Errorf("%s", got)
			}
			if len(v.published) > 1 || len(v.published) == 1 && !strings.HasPrefix(name, "behind one") {
				t.Errorf("published %v", v.published)
			}
		})
	}
}

func TestFraming_WhatHasNoLengthEndsTheConnection(t *testing.T) {
	v := newWorld(t)
	got := talk(t, v.serve(t), postHead+"Transfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n"+"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "200 OK") || !strings.Contains(got, "Connection: close") || len(v.published) != 1 {
		t.Errorf("%s", got)
	}
	if got := talk(t, v.serve(t), postHead+"Transfer-Encoding: gzip, chunked\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 501") {
		t.Errorf("%s", got)
	}
}

func TestFraming_PlainRequestsFollowEachOther(t *testing.T) {
	v := newWorld(t)
	one := postHead + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n\"\n\n\""
	one = strings.Replace(one, "\"\n\n\"", "7 \r\n", 1)
	got := talk(t, v.serve(t), one+"\r\n"+"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"+one+"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 200 OK") != 4 || len(v.published) != 2 {
		t.Errorf("%s", got)
	}
}

// FuzzFraming reads the same bytes by net/http: as long as that goes on, the
// framing must stand where it stands, or have given up for a reason that
// ends the connection.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n"), 7)
	f.Add([]byte("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 1)
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 3\r\n 4\r\n\r\n"), 2)
	f.Fuzz(func(t *testing.T, raw []byte, n int) {
		var fr framing
		src := bytes.NewReader(raw)
		r := bufio.NewReader(src)
		seen := 0
		// follow shows the framing what net/http has taken so far.
		follow := func() {
			now := len(raw) - src.Len() - r.Buffered()
			for seen < now {
				step := min(max(1, n%50), now-seen)
				fr.see(raw[seen : seen+step])
				seen += step
			}
		}
		for {
			if peek, _ := r.Peek(1); len(peek) == 1 && (peek[0] == '\r' || peek[0] == '\n') {
				r.Discard(1) // as net/http does behind a POST
				continue
			}
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			follow()
			if fr.ambiguous.Load() {
				return
			}
			if req.TransferEncoding != nil && !fr.coded.Load() {
				t.Fatalf("a Transfer-Encoding passed unseen in %q", raw[:seen])
			}
			if fr.coded.Load() {
				return
			}
			if want := max(0, req.ContentLength); want != fr.left {
				t.Fatalf("a body of %d bytes behind %q, net/http says %d", fr.left, raw[:seen], want)
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil && !errors.Is(err, io.EOF) {
				return
			}
			if follow(); fr.phase != atRequest || fr.n != 0 {
				t.Fatalf("phase %d with %d bytes kept behind a whole request: %q", fr.phase, fr.n, raw[:seen])
			}
		}
	})
}
