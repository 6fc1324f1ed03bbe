package transport

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/ws"
)

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	shake     = "GET /ws?channels=a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n"
)

// version2 is a header of version 2: 0 is LOCAL, 1 is PROXY; 0x11 is TCP over
// IPv4, 0x21 over IPv6.
func version2(command, family byte, body string) string {
	return signature + string([]byte{0x20 | command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

func tcp4(source string, port uint16, more string) string {
	a := netip.MustParseAddr(source).As4()
	b := append(a[:], 10, 0, 0, 9)
	b = binary.BigEndian.AppendUint16(b, port)
	return version2(1, 0x11, string(binary.BigEndian.AppendUint16(b, 443))+more)
}

func tcp6(source string, port uint16) string {
	a := netip.MustParseAddr(source).As16()
	b := append(a[:], a[:]...)
	b = binary.BigEndian.AppendUint16(b, port)
	return version2(1, 0x21, string(binary.BigEndian.AppendUint16(b, 443)))
}

// behindProxy is a server whose listener takes PROXY headers from loopback,
// or from elsewhere only.
func behindProxy(t *testing.T, secure, trusted bool, log *bytes.Buffer) *node {
	t.Helper()
	n := start(t, secure, nil)
	from := netip.MustParsePrefix("192.0.2.0/24")
	if trusted {
		from = netip.MustParsePrefix("127.0.0.0/8")
	}
	web := httptest.NewUnstartedServer(n.web.Config.Handler)
	web.Listener = ProxyProtocol(web.Listener, []netip.Prefix{from}, slog.New(slog.NewTextHandler(log, nil)))
	if secure {
		web.StartTLS()
	} else {
		web.Start()
	}
	t.Cleanup(web.Close)
	n.web = web
	return n
}

// enter connects and sends a header, then over TLS or not a handshake with
// the first frame behind it, all so many bytes at a time, and returns the
// answer as it comes.
func enter(t *testing.T, n *node, header string, secure bool, step int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", n.web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	text := shake + string(ws.AppendMasked(nil, ws.Text, [4]byte{}, []byte(`{"type":"ping","request":"first"}`)))
	if secure {
		_, _ = io.WriteString(c, header)
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	} else {
		text = header + text
	}
	for len(text) > 0 {
		k := min(step, len(text))
		if _, err := io.WriteString(c, text[:k]); err != nil {
			break
		}
		text = text[k:]
	}
	return c
}

// until reads until a text has come.
func until(t *testing.T, c net.Conn, want string) {
	t.Helper()
	var got []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(got, []byte(want)) {
		n, err := c.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			t.Fatalf("%v after %q; want %q", err, got, want)
		}
	}
}

func TestProxyProtocol_TellsTheClientAndLosesNoByte(t *testing.T) {
	for name, c := range map[string]struct{ header, address string }{
		"version 1, IPv4":   {"PROXY TCP4 198.51.100.7 10.0.0.9 4321 443\r\n", "198.51.100.7:4321"},
		"version 1, IPv6":   {"PROXY TCP6 2001:db8::7 2001:db8::9 4321 443\r\n", "[2001:db8::7]:4321"},
		"version 1, long":   {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1]:65535"},
		"version 1, nobody": {"PROXY UNKNOWN\r\n", ""},
		"version 1, odd":    {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ""},
		"version 2, IPv4":   {tcp4("198.51.100.7", 4321, ""), "198.51.100.7:4321"},
		"version 2, IPv6":   {tcp6("2001:db8::7", 4321), "[2001:db8::7]:4321"},
		"version 2, more":   {tcp4("198.51.100.7", 4321, "\x04\x01\x00"+strings.Repeat("x", 256)), "198.51.100.7:4321"},
		"version 2, local":  {version2(0, 0, ""), ""},
		"version 2, probe":  {version2(0, 0x11, "\xc6\x33\x64\x07\x0a\x00\x00\x09\x10\xe1\x01\xbb"), ""},
		"version 2, Unix":   {version2(1, 0x31, strings.Repeat("\x00", 216)), ""},
		"none":              {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			carriers(t, func(t *testing.T, secure bool) {
				n := behindProxy(t, secure, true, new(bytes.Buffer))
				conn := enter(t, n, c.header, secure, 1<<20)
				until(t, conn, `"pong"`)
				infos := n.Sessions(t.Context(), session.Filter{})
				want := c.address
				if want == "" {
					want = conn.LocalAddr().String()
				}
				if len(infos) != 1 || infos[0].Address != want {
					t.Fatalf("sessions %+v, want one from %s", infos, want)
				}
				if carried := map[bool]string{false: plainCarrier, true: "stream"}[secure]; infos[0].Transport != carried {
					t.Errorf("carried by a %s, want %s", infos[0].Transport, carried)
				}
			})
		})
	}
}

func TestProxyProtocol_PiecesOfAnySizeWillDo(t *testing.T) {
	n := behindProxy(t, false, true, new(bytes.Buffer))
	for _, header := range []string{tcp4("198.51.100.7", 4321, ""), ""} {
		for _, step := range []int{1, 11, 100, 111, 112, 113, len(header) + len(shake), len(header) + len(shake) + 1} {
			until(t, enter(t, n, header, false, step), `"pong"`)
		}
	}
}

func TestProxyProtocol_IsABadRequestFromWhoIsNotTrusted(t *testing.T) {
	n := behindProxy(t, false, false, new(bytes.Buffer))
	for _, header := range []string{"PROXY TCP4 198.51.100.7 10.0.0.9 4321 443\r\n", tcp4("198.51.100.7", 4321, "")} {
		until(t, enter(t, n, header, false, 1<<20), "HTTP/1.1 400")
	}
	until(t, enter(t, n, "", false, 1<<20), `"pong"`)
	if infos := n.Sessions(t.Context(), session.Filter{}); len(infos) != 1 || !strings.HasPrefix(infos[0].Address, "127.0.0.1:") {
		t.Errorf("sessions %+v", infos)
	}
}

func TestProxyProtocol_AHeaderThatCannotBeReadIsTheEndAndLoggedOnce(t *testing.T) {
	log := new(bytes.Buffer) // read when the server is closed
	n := behindProxy(t, false, true, log)
	for _, header := range []string{
		"PROXY TCP4 198.51.100.7 10.0.0.9 4321\r\n", "PROXY TCP4 2001:db8::7 10.0.0.9 4321 443\r\n", "PROXY TCP4 198.51.100.7 10.0.0.9 4321 443\n",
		"PROXY " + strings.Repeat("x", 200) + "\r\n", "PROXY TCP4 198.51.100.07 10.0.0.9 4321 443\r\n", "PROXY TCP4 198.51.100.7 10.0.0.9 43210 65536\r\n",
		version2(2, 0x11, "123456789012"), version2(1, 0x11, "1234"), version2(1, 0x13, "123456789012"), signature + "\x11\x11\x00\x0c123456789012",
	} {
		got, _ := io.ReadAll(enter(t, n, header, false, 1<<20))
		if bytes.Contains(got, []byte("101 ")) {
			t.Errorf("%q: %s", header, got)
		}
	}
	n.web.Close()
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "proxy=127.0.0.1:") {
		t.Errorf("%d lines: %s", lines, log)
	}
}

// claimed is a connection in memory that says it comes from an address.
type claimed struct {
	net.Conn
	from net.Addr
}

func (c claimed) RemoteAddr() net.Addr { return c.from }

// single is a listener with one connection.
type single chan net.Conn

func (s single) Accept() (net.Conn, error) {
	if c, ok := <-s; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (s single) Close() error   { return nil }
func (s single) Addr() net.Addr { return &net.TCPAddr{} }

var balancer = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 4000}

func accepted(t testing.TB, server net.Conn) net.Conn {
	t.Helper()
	ln := make(single, 1)
	ln <- claimed{server, balancer}
	c, err := ProxyProtocol(ln, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, slog.New(slog.DiscardHandler)).Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProxyProtocol_WaitsForAHeaderSoLongAndNoLonger(t *testing.T) {
	for first, good := range map[string]bool{"": true, "PROX": true, "PROXY TCP4 198": false, signature + "\x21": false} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			c := accepted(t, server)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = io.WriteString(client, first)
			}()
			began := time.Now()
			if got := c.RemoteAddr(); got != balancer {
				t.Errorf("%q: from %s", first, got)
			}
			if took := time.Since(began); took > headerTime || good && took != headerTime {
				t.Errorf("%q: after %v", first, took)
			}
			<-sent
			go func() { _, _ = io.WriteString(client, "GET") }()
			time.Sleep(time.Minute) // no deadline is left behind
			p := make([]byte, 100)
			n, err := c.Read(p)
			if want := (first + "GET")[:n]; good && (err != nil || string(p[:n]) != want || n == 0) || !good && err == nil {
				t.Errorf("%q: %q, %v", first, p[:n], err)
			}
			_ = client.Close()
			_ = c.Close()
		})
	}
}

func TestProxyProtocol_ManyRequestsOnOneConnectionAreOneClients(t *testing.T) {
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.RemoteAddr) }))
	web.Listener = ProxyProtocol(web.Listener, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, slog.New(slog.DiscardHandler))
	web.Start()
	defer web.Close()
	c, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, tcp4("198.51.100.7", 1, "")+strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 20)+"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	got, _ := io.ReadAll(c)
	if n := bytes.Count(got, []byte("198.51.100.7:1\n")); n != 21 {
		t.Errorf("%d answers: %s", n, got)
	}
}

// FuzzProxied checks that no beginning makes a connection panic, and that
// what is read from it is the end of what was sent: all of it when it began
// with no header.
func FuzzProxied(f *testing.F) {
	f.Add([]byte("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /"), 3)
	f.Add([]byte(tcp4("198.51.100.7", 1, "\x04\x00\x01x")+"GET /"), 50)
	f.Add([]byte(version2(0, 0, "")+shake), 7)
	f.Add([]byte(shake), 1)
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		client, server := net.Pipe()
		c := accepted(t, server)
		go func() {
			_, _ = client.Write(sent)
			_ = client.Close()
		}()
		from := c.RemoteAddr()
		var got []byte
		p := make([]byte, 1+max(0, size%200))
		var err error
		for err == nil {
			var n int
			n, err = c.Read(p)
			got = append(got, p[:n]...)
		}
		_ = c.Close()
		begun := bytes.HasPrefix(sent, []byte("PROXY")) || bytes.HasPrefix(sent, []byte(signature))
		switch {
		case !bytes.HasSuffix(sent, got):
			t.Errorf("read %q of %q", got, sent)
		case !begun && (len(got) < len(sent) || from != net.Addr(balancer)):
			t.Errorf("read %q of %q, from %s", got, sent, from)
		case begun && errors.Is(err, io.EOF) && len(got) == len(sent):
			t.Errorf("%q was not taken for a header", sent)
		}
	})
}
