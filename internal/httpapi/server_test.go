package httpapi

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory, for fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000} }

// inFakeTime runs the server in a bubble and hands one connection to it.
func inFakeTime(t *testing.T, v *world, use func(c net.Conn, sender *sync.WaitGroup)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		srv := Server(New(v.Deps), slog.New(slog.DiscardHandler))
		var served sync.WaitGroup
		served.Go(func() { srv.Serve(Listener(p)) })
		client, server := net.Pipe()
		p.conns <- server
		var sender sync.WaitGroup
		use(client, &sender)
		client.Close()
		sender.Wait()
		srv.Close()
		served.Wait()
	})
}

// until reads to the end of the connection and returns what came and when
// it ended.
func until(c net.Conn) (got string, after time.Duration) {
	began := time.Now()
	b, _ := io.ReadAll(c)
	return string(b), time.Since(began)
}

func TestDeadline_AHeaderThatDribblesIsCutOffAfterFiveSeconds(t *testing.T) {
	inFakeTime(t, newWorld(t), func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() {
			for _, b := range []byte("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		if got, after := until(c); after > 6*time.Second || strings.Contains(got, " 200 ") {
			t.Errorf("%q after %v", got, after)
		}
	})
}

func TestDeadline_AnIdleConnectionIsClosedAfterAMinute(t *testing.T) {
	inFakeTime(t, newWorld(t), func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() { io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") })
		got, after := until(c)
		if !strings.HasPrefix(got, "HTTP/1.1 200") || after != idlePatience {
			t.Errorf("%q, closed after %v", got, after)
		}
	})
}

func TestDeadline_ABodyMovesItsDeadlineWithItsBytesOnly(t *testing.T) {
	v := newWorld(t)
	inFakeTime(t, v, func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() {
			io.WriteString(c, postHead+"Connection: close\r\nContent-Length: 20\r\n\r\n")
			for range 20 {
				time.Sleep(bodyPatience - time.Second)
				io.WriteString(c, "1")
			}
		})
		if got, after := until(c); !strings.HasPrefix(got, "HTTP/1.1 200") || len(v.published) != 1 {
			t.Errorf("a slow body: %q after %v", got, after)
		}
	})
	inFakeTime(t, v, func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() { io.WriteString(c, postHead+"Content-Length: 20\r\n\r\n1") })
		got, after := until(c)
		if !strings.HasPrefix(got, "HTTP/1.1 408") || !strings.Contains(got, "Connection: close") || after < bodyPatience || after > bodyPatience+time.Second {
			t.Errorf("a body that stops: %q after %v", got, after)
		}
	})
	inFakeTime(t, v, func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() {
			io.WriteString(c, postHead+"Content-Length: 20\r\n\r\n1")
			time.Sleep(bodyPatience - time.Second)
			io.WriteString(c, "1")
		})
		if got, after := until(c); !strings.HasPrefix(got, "HTTP/1.1 408") || after < 2*bodyPatience-time.Second {
			t.Errorf("a body that stops later: %q after %v", got, after)
		}
	})
}

func TestDeadline_ABodyThatNobodyWantsHoldsNothing(t *testing.T) {
	for _, framing := range []string{"Content-Length: 20", "Transfer-Encoding: chunked"} {
		inFakeTime(t, newWorld(t).withKey(t), func(c net.Conn, sender *sync.WaitGroup) {
			sender.Go(func() { io.WriteString(c, postHead+framing+"\r\n\r\n1") })
			if got, after := until(c); !strings.HasPrefix(got, "HTTP/1.1 401") || after > 2*bodyPatience {
				t.Errorf("%s: %q after %v", framing, got, after)
			}
		})
	}
}

func TestDeadline_AStreamWithoutAWholeLineFor30sIs408OnItsLine(t *testing.T) {
	for _, framing := range []string{"Content-Length: 9999", "Transfer-Encoding: chunked"} {
		inFakeTime(t, newWorld(t), func(c net.Conn, sender *sync.WaitGroup) {
			send := func(s string) bool {
				if strings.HasPrefix(framing, "Transfer") {
					s = fmt.Sprintf("%x\r\n%s\r\n", len(s), s)
				}
				_, err := io.WriteString(c, s)
				return err == nil
			}
			sender.Go(func() {
				io.WriteString(c, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n"+framing+"\r\n\r\n")
				for range 3 {
					send(`{"channel":"a","data":1}` + "\n")
					time.Sleep(linePatience - time.Second)
				}
				send("\n") // an empty line keeps it alive
				for range 50 {
					if !send("x") { // bytes alone do not
						return
					}
					time.Sleep(linePatience / 10)
				}
			})
			got, after := until(c)
			if strings.Count(got, `"e-`) != 3 || !strings.Contains(got, `{"line":5,"error":{"code":"timeout"`) || !strings.Contains(got, "Connection: close") {
				t.Errorf("%s: %s", framing, got)
			}
			if want := 3*(linePatience-time.Second) + linePatience; after < want || after > want+time.Second {
				t.Errorf("%s: ended after %v, want %v", framing, after, want)
			}
		})
	}
}

func TestDeadline_AStreamThatNeverBeginsIs408(t *testing.T) {
	inFakeTime(t, newWorld(t), func(c net.Conn, sender *sync.WaitGroup) {
		sender.Go(func() {
			io.WriteString(c, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
		})
		if got, after := until(c); !strings.HasPrefix(got, "HTTP/1.1 408") || after < linePatience || after > linePatience+time.Second {
			t.Errorf("%q after %v", got, after)
		}
	})
}

func TestDeadline_AClientThatTakesNoAnswersIsLetGo(t *testing.T) {
	v := newWorld(t)
	inFakeTime(t, v, func(c net.Conn, sender *sync.WaitGroup) {
		began := time.Now()
		line := `{"channel":"a","data":1}` + "\n"
		io.WriteString(c, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"+line)
		var err error
		for err == nil {
			_, err = io.WriteString(c, line)
		}
		if took := time.Since(began); took > answerPatience+time.Second {
			t.Errorf("let go after %v", took)
		}
	})
}

func TestHeader_OfMoreThan16KiBIsRefused(t *testing.T) {
	v := newWorld(t)
	addr := v.serve(t)
	head := "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: "
	if got := talk(t, addr, head+strings.Repeat("x", maxHeader-len(head)-4)+"\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("16 KiB: %.100s", got)
	}
	if got := talk(t, addr, head+strings.Repeat("x", maxHeader)+"\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 431") {
		t.Errorf("more: %.100s", got)
	}
}

func TestRaw_MalformedRequests(t *testing.T) {
	for raw, status := range map[string]string{
		"GET /livez HTTP/1.1\r\n\r\n":                                                    "400",
		"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                              "400",
		"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n":                                         "505",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                               "",
		"nonsense\r\n\r\n":                                                               "400",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n":                "400",
		"GET http://localhost/livez HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n": "200",
		"GET /livez HTTP/1.0\r\n\r\n":                                                    "200",
		"GET /v1/status HTTP/1.0\r\n\r\n":                                                "403",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":             "404",
		"CONNECT evil:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":       "40",
	} {
		got := talk(t, newWorld(t).serve(t), raw)
		if status == "" {
			if strings.Contains(got, " 200 ") {
				t.Errorf("%q: %s", raw, got)
			}
			continue
		}
		if !strings.HasPrefix(got, "HTTP/1.1 "+status) && !strings.HasPrefix(got, "HTTP/1.0 "+status) {
			t.Errorf("%q: %.300s", raw, got)
		}
	}
}

func TestListener_OverTLSRequestsAreFollowedAndKnowIt(t *testing.T) {
	addr := newWorld(t).serveTLS(t)
	ask := func(raw string) string {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, raw)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.Status + string(body)
	}
	if got := ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); !strings.Contains(got, "wss://localhost/ws") {
		t.Errorf("r.TLS is not set: %s", got)
	}
	if got := ask(postHead + "Content-Length: 11\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n"); !strings.HasPrefix(got, "400") {
		t.Errorf("%s", got)
	}
}
