package httpapi

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/wire"
)

// serverTLS returns a configuration with a certificate of its own.
var serverTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})

// serveTLS runs the interface on a real socket over TLS and returns its
// address.
func (v *world) serveTLS(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := Server(New(v.Deps), slog.New(slog.DiscardHandler))
	var served sync.WaitGroup
	served.Go(func() { srv.Serve(TLSListener(ln, serverTLS())) })
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
	})
	return ln.Addr().String()
}

// http2Client returns a client that speaks HTTP/2 and nothing else.
func http2Client(t testing.TB) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	transport.Protocols.SetHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// ask makes a request over HTTP/2 and returns the answer with its body.
func ask(t testing.TB, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.ProtoMajor != 2 {
		t.Errorf("%s %s was answered by %s", r.Method, r.URL, resp.Proto)
	}
	return resp, string(body)
}

func newRequest(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "localhost"
	return r
}

func TestHTTP2_ServesWhatHTTP1Serves(t *testing.T) {
	v := newWorld(t).withKey(t)
	base, c := "https://"+v.serveTLS(t), http2Client(t)
	r := newRequest(t, "POST", base+"/v1/channels/news/messages", strings.NewReader(`{"a": 1}`))
	if resp, body := ask(t, c, r); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, `"unauthorized"`) {
		t.Errorf("without a key: %d %s", resp.StatusCode, body)
	}
	r = newRequest(t, "POST", base+"/v1/channels/news/messages", strings.NewReader(`{"a": 1}`))
	r.Header.Set("Authorization", "Bearer "+testKey)
	if resp, body := ask(t, c, r); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"subscribers":7`) || len(v.published) != 1 {
		t.Errorf("publish: %d %s", resp.StatusCode, body)
	}
	r = newRequest(t, "GET", base+"/v1/status", nil)
	r.Header.Set("Authorization", "Bearer "+testKey)
	if resp, body := ask(t, c, r); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"pid"`) {
		t.Errorf("status: %d %s", resp.StatusCode, body)
	}
	if resp, body := ask(t, c, newRequest(t, "GET", base+"/", nil)); !strings.Contains(body, "wss://localhost/ws") {
		t.Errorf("r.TLS is not set: %d %s", resp.StatusCode, body)
	}
	open := newWorld(t)
	r = newRequest(t, "GET", "https://"+open.serveTLS(t)+"/v1/status", nil)
	r.Host = "evil.example"
	if resp, body := ask(t, c, r); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, `"forbidden_host"`) {
		t.Errorf("another host: %d %s", resp.StatusCode, body)
	}
}

// TestHTTP2_AStreamOfLinesIsAnsweredWhileItIsSent also sees that the
// connection is good for more.
func TestHTTP2_AStreamOfLinesIsAnsweredWhileItIsSent(t *testing.T) {
	v := newWorld(t)
	base, c := "https://"+v.serveTLS(t), http2Client(t)
	reused := false
	watch := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}
	for i := range 2 {
		body, lines := io.Pipe()
		defer lines.Close()
		go io.WriteString(lines, `{"channel":"a","data":1}`+"\n")
		r := newRequest(t, "POST", base+"/v1/messages", body)
		resp, err := c.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), watch)))
		if err != nil {
			t.Fatal(err)
		}
		if reused != (i > 0) {
			t.Errorf("stream %d on a connection that was there: %t", i, reused)
		}
		answers := bufio.NewReader(resp.Body)
		for range 3 {
			if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, `"channel":"a"`) {
				t.Fatalf("%q, %v", line, err)
			}
			go io.WriteString(lines, `{"channel":"a","data":1}`+"\n")
		}
		lines.Close()
		if _, err := io.Copy(io.Discard, answers); err != nil {
			t.Errorf("the end: %v", err)
		}
		resp.Body.Close()
	}
}

func TestHTTP2_TheWebSocketIsToldToComeByHTTP1(t *testing.T) {
	v := newWorld(t)
	base, c := "https://"+v.serveTLS(t), http2Client(t)
	for _, key := range []string{"", "AQIDBAUGBwgJCgsMDQ4PEA=="} {
		r := newRequest(t, "GET", base+"/ws?channels=a", nil)
		r.Header.Set("Origin", "http://localhost:5173")
		if key != "" {
			r.Header.Set("Sec-WebSocket-Key", key)
			r.Header.Set("Sec-WebSocket-Version", "13")
		}
		resp, body := ask(t, c, r)
		if resp.StatusCode != http.StatusUpgradeRequired || !strings.Contains(body, "HTTP/1.1") {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		if resp.Header.Get("Upgrade")+resp.Header.Get("Connection") != "" || resp.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("header %v", resp.Header)
		}
	}
	v.refusal = wire.Errorf(wire.TooManyRequests, "too many from your address")
	if resp, body := ask(t, c, newRequest(t, "GET", base+"/ws", nil)); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	r := newRequest(t, "GET", base+"/ws", nil)
	r.Header.Set("Origin", "https://evil.example")
	if resp, body := ask(t, c, r); resp.StatusCode != http.StatusForbidden {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestHTTP2_AWebSocketClientGetsHTTP1OnTheSamePort(t *testing.T) {
	v := newWorld(t)
	took := make(chan string, 1)
	v.Door = taker{v, took}
	for _, offered := range [][]string{nil, {"http/1.1"}} {
		c, err := tls.Dial("tcp", v.serveTLS(t), &tls.Config{InsecureSkipVerify: true, NextProtos: offered})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\n"+strings.Join(upgrade(), "\r\n")+"\r\n\r\nearly bytes\n")
		select {
		case got := <-took:
			if got != "*tls.Conn" {
				t.Errorf("the door got %s", got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nobody came to the door")
		}
	}
}

// TestHTTP2_TellsItsBounds reads the first frame of the server, which must be
// SETTINGS (RFC 9113, section 3.4).
func TestHTTP2_TellsItsBounds(t *testing.T) {
	c, err := tls.Dial("tcp", newWorld(t).serveTLS(t), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil || head[3] != 4 {
		t.Fatalf("frame %v, %v", head, err)
	}
	settings := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c, settings); err != nil {
		t.Fatal(err)
	}
	got := make(map[uint16]uint32)
	for ; len(settings) >= 6; settings = settings[6:] {
		got[binary.BigEndian.Uint16(settings)] = binary.BigEndian.Uint32(settings[2:])
	}
	const streams, window, frame, header, connect = 3, 4, 5, 6, 8
	if got[streams] != maxStreams || got[window] != maxStreamAhead || got[frame] != maxHTTP2Frame || got[header] > maxHeader || got[header] == 0 || got[connect] != 0 {
		t.Errorf("%v", got)
	}
}

func TestHTTP2_AHeaderOfMoreThan16KiBIsRefused(t *testing.T) {
	r := newRequest(t, "GET", "https://"+newWorld(t).serveTLS(t)+"/livez", nil)
	r.Header.Set("X", strings.Repeat("x", maxHeader))
	resp, err := http2Client(t).Do(r)
	if err == nil {
		resp.Body.Close()
	}
	if err == nil && resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s", resp.Status)
	}
}

func TestTLS_PlainHTTPIsToldSo(t *testing.T) {
	if got := talk(t, newWorld(t).serveTLS(t), "GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400") || !strings.Contains(got, "wss://") {
		t.Errorf("%q", got)
	}
}

// securely runs the server over TLS in a bubble of fake time.
func securely(t *testing.T, v *world, use func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	config := serverTLS()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		srv := Server(New(v.Deps), slog.New(slog.DiscardHandler))
		var served sync.WaitGroup
		served.Go(func() { srv.Serve(TLSListener(p, config)) })
		use(t, func() net.Conn {
			client, server := net.Pipe()
			p.conns <- server
			return client
		})
		srv.Close()
		served.Wait()
	})
}

func TestTLS_AHandshakeThatStallsIsCutOffAndHoldsUpNobody(t *testing.T) {
	securely(t, newWorld(t), func(t *testing.T, dial func() net.Conn) {
		silent := dial()
		good := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true})
		began := time.Now()
		if err := good.Handshake(); err != nil || time.Since(began) > 0 {
			t.Errorf("the one behind it: %v after %v", err, time.Since(began))
		}
		io.WriteString(good, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if line, err := bufio.NewReader(good).ReadString('\n'); !strings.Contains(line, "200") {
			t.Errorf("the one behind it: %q, %v", line, err)
		}
		good.NetConn().Close()
		if got, after := until(silent); got != "" || after != headerPatience {
			t.Errorf("%q, closed after %v", got, after)
		}
	})
}

func TestTLS_ClosingEndsHandshakesAndLeavesNothingBehind(t *testing.T) {
	securely(t, newWorld(t), func(t *testing.T, dial func() net.Conn) {
		c := dial()
		synctest.Wait() // the bubble ends only when the handshake has, too
		_ = c
	})
}

func TestHTTP2_DeadlinesHoldForEachRequest(t *testing.T) {
	v := newWorld(t)
	securely(t, v, func(t *testing.T, dial func() net.Conn) {
		transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		transport.Protocols.SetHTTP2(true)
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
		defer transport.CloseIdleConnections()
		c := &http.Client{Transport: transport}
		post := func(path string, send func(w io.Writer)) (*http.Response, string, time.Duration) {
			began := time.Now()
			body, w := io.Pipe()
			var sender sync.WaitGroup
			sender.Go(func() {
				send(w)
			})
			resp, text := ask(t, c, newRequest(t, "POST", "https://localhost"+path, body))
			after := time.Since(began)
			w.Close()
			sender.Wait()
			return resp, text, after
		}
		resp, text, after := post("/v1/channels/a/messages", func(w io.Writer) { io.WriteString(w, "1") })
		if resp.StatusCode != http.StatusRequestTimeout || after < bodyPatience || after > bodyPatience+time.Second {
			t.Errorf("a body that stops: %d %s after %v", resp.StatusCode, text, after)
		}
		resp, text, after = post("/v1/messages", func(io.Writer) {})
		if resp.StatusCode != http.StatusRequestTimeout || after < linePatience || after > linePatience+time.Second {
			t.Errorf("a stream that never begins: %d %s after %v", resp.StatusCode, text, after)
		}
		_, text, after = post("/v1/messages", func(w io.Writer) {
			for range 3 {
				io.WriteString(w, `{"channel":"a","data":1}`+"\n")
				time.Sleep(linePatience - time.Second)
			}
		})
		if want := 3*(linePatience-time.Second) + time.Second; strings.Count(text, `"subscribers"`) != 3 || !strings.Contains(text, `"timeout"`) || after < want || after > want+time.Second {
			t.Errorf("a stream with pauses: %s after %v", text, after)
		}
	})
}
