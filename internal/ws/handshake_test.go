package ws

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// upgrade is a good request, as a browser sends it. Tests change its lines.
const upgrade = `GET /ws HTTP/1.1
Host: localhost
Connection: keep-alive, Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
`

// request parses the request that has one line replaced by others, or others
// added when line is empty.
func request(t *testing.T, line string, others ...string) *http.Request {
	t.Helper()
	text := upgrade
	if line == "" {
		text += strings.Join(append(others, ""), "\n")
	} else {
		if !strings.Contains(text, line+"\n") {
			t.Fatalf("the request has no line %q", line)
		}
		text = strings.Replace(text, line+"\n", strings.Join(append(others, ""), "\n"), 1)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	getLine        = "GET /ws HTTP/1.1"
	connectionLine = "Connection: keep-alive, Upgrade"
	upgradeLine    = "Upgrade: websocket"
	versionLine    = "Sec-WebSocket-Version: 13"
	keyLine        = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)

func TestCheckHandshake_Refuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		line    string
		others  []string
		status  int
		message string
	}{
		{"POST", getLine, []string{"POST /ws HTTP/1.1"}, 400, "begins with GET"},
		{"HEAD", getLine, []string{"HEAD /ws HTTP/1.1"}, 400, "begins with GET"},
		{"HTTP/1.0", getLine, []string{"GET /ws HTTP/1.0"}, 400, "HTTP/1.1"},
		{"HTTP/2.0", getLine, []string{"GET /ws HTTP/2.0"}, 400, "HTTP/1.1"},
		{"no Connection", connectionLine, nil, 400, "no Connection: Upgrade"},
		{"Connection of something like it", connectionLine, []string{"Connection: upgraded, not-upgrade"}, 400, "no Connection: Upgrade"},
		{"no Upgrade but a key", upgradeLine, nil, 400, "a proxy in between"},
		{"Upgrade to something like it", upgradeLine, []string{"Upgrade: websockets"}, 400, "no Connection: Upgrade"},
		{"no version", versionLine, nil, 426, "version 13"},
		{"old version", versionLine, []string{"Sec-WebSocket-Version: 8"}, 426, "version 13"},
		{"version with a zero", versionLine, []string{"Sec-WebSocket-Version: 013"}, 426, "version 13"},
		{"two versions in one", versionLine, []string{"Sec-WebSocket-Version: 13, 8"}, 426, "version 13"},
		{"version twice", versionLine, []string{versionLine, versionLine}, 400, "more than once"},
		{"no key", keyLine, nil, 400, "exactly once"},
		{"key twice", keyLine, []string{keyLine, keyLine}, 400, "exactly once"},
		{"empty key", keyLine, []string{"Sec-WebSocket-Key:"}, 400, "16 random bytes"},
		{"key of 15 bytes", keyLine, []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"}, 400, "16 random bytes"},
		{"key of 17 bytes", keyLine, []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU="}, 400, "16 random bytes"},
		{"key not base64", keyLine, []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="}, 400, "16 random bytes"},
		{"two keys in one", keyLine, []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}, 400, "16 random bytes"},
		{"Content-Length", "", []string{"Content-Length: 1"}, 400, "body"},
		{"chunked body", "", []string{"Transfer-Encoding: chunked"}, 400, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := CheckHandshake(request(t, c.line, c.others...), true)
			if err == nil || err.Status != c.status || !strings.Contains(err.Error(), c.message) {
				t.Fatalf("got %+v, want %d with %q", err, c.status, c.message)
			}
			if c.status == 426 && (err.Header.Get("Sec-WebSocket-Version") != "13" || err.Header.Get("Upgrade") != "websocket") {
				t.Errorf("426 with %v", err.Header)
			}
		})
	}
}

func TestCheckHandshake_TellsPlainRequestsToUpgrade(t *testing.T) {
	for name, text := range map[string]string{
		"plain":          "GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"old":            "GET /ws HTTP/1.0\r\nHost: localhost\r\n\r\n",
		"HTTP/2 upgrade": "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		_, refusal := CheckHandshake(r, true)
		if refusal == nil || refusal.Status != 426 || refusal.Header.Get("Upgrade") != "websocket" || refusal.Header.Get("Connection") != "Upgrade" {
			t.Errorf("%s: got %+v, want 426 with Upgrade: websocket", name, refusal)
		}
	}
}

func TestCheckHandshake_Accepts(t *testing.T) {
	for _, c := range []struct {
		name   string
		line   string
		others []string
	}{
		{"as it stands", "", nil},
		{"any case", connectionLine, []string{"connection: UPGRADE"}},
		{"Connection over two lines", connectionLine, []string{"Connection: keep-alive", "Connection:\tupgrade ,"}},
		{"Upgrade in a list", upgradeLine, []string{"Upgrade: h2c, WebSocket"}},
		{"an empty body", "", []string{"Content-Length: 0"}},
		{"extension nonsense", "", []string{`Sec-WebSocket-Extensions: ;=,"a;,,=permessage-deflate"`, "Sec-WebSocket-Extensions:"}},
		{"subprotocol nonsense", "", []string{"Sec-WebSocket-Protocol: ,;=,,"}},
	} {
		h, err := CheckHandshake(request(t, c.line, c.others...), true)
		if err != nil || h != (Handshake{Accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}) {
			t.Errorf("%s: got %+v, error %v", c.name, h, err)
		}
	}
}

func TestCheckHandshake_EchoesOneSubprotocolAlone(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"holdfast.v1"}, "holdfast.v1"},
		{[]string{"holdfast.v1, bearer.secret"}, "holdfast.v1"},
		{[]string{"bearer.secret ,holdfast.v1"}, "holdfast.v1"},
		{[]string{"bearer.secret", "holdfast.v1"}, "holdfast.v1"},
		{[]string{"bearer.secret"}, ""},
		{[]string{"Holdfast.v1, holdfast.v10, holdfast.v2"}, ""},
	} {
		var others []string
		for _, line := range c.lines {
			others = append(others, "Sec-WebSocket-Protocol: "+line)
		}
		h, err := CheckHandshake(request(t, "", others...), true)
		if err != nil || h.Subprotocol != c.want {
			t.Errorf("%q: got %q, error %v, want %q", c.lines, h.Subprotocol, err, c.want)
		}
	}
}

func TestCheckHandshake_AgreesToDeflateWhenItCan(t *testing.T) {
	const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, c := range []struct{ offer, want string }{
		{"permessage-deflate", plain},
		{"permessage-deflate; client_max_window_bits", plain},
		{"permessage-deflate;client_max_window_bits=10", plain},
		{`permessage-deflate; client_max_window_bits="15"`, plain},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain},
		{"permessage-deflate; server_max_window_bits=15", plain + "; server_max_window_bits=15"},
		{`permessage-deflate; server_max_window_bits="15"`, plain + "; server_max_window_bits=15"},
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate", plain},
		{"permessage-deflate; server_max_window_bits=15; odd, permessage-deflate", plain},
		{"x-webkit-deflate-frame, permessage-deflate", plain},
		{`other; a="x, y; \" z", permessage-deflate`, plain},
		{",, permessage-deflate ,", plain},
		{"permessage-deflate; server_max_window_bits=10", ""},
		{"permessage-deflate; server_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=", ""},
		{"permessage-deflate; server_max_window_bits=015", ""},
		{"permessage-deflate; client_max_window_bits=7", ""},
		{"permessage-deflate; client_max_window_bits=16", ""},
		{"permessage-deflate; client_max_window_bits=", ""},
		{"permessage-deflate; client_max_window_bits=010", ""},
		{"permessage-deflate; server_no_context_takeover=1", ""},
		{"permessage-deflate; client_no_context_takeover=", ""},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""},
		{"permessage-deflate; unheard_of", ""},
		{"permessage-deflate;", ""},
		{"permessage-deflate=1", ""},
		{"Permessage-Deflated", ""},
		{`"permessage-deflate"`, ""},
		{`other="permessage-deflate, permessage-deflate`, ""},
		{"", ""},
	} {
		r := request(t, "", "Sec-WebSocket-Extensions: "+c.offer)
		h, err := CheckHandshake(r, true)
		if err != nil {
			t.Errorf("%s: refused with %v", c.offer, err)
			continue
		}
		if got := response(t, h).Header.Get("Sec-WebSocket-Extensions"); got != c.want || h.Deflate != (c.want != "") {
			t.Errorf("%s: answered with %q, Deflate %v, want %q", c.offer, got, h.Deflate, c.want)
		}
		if h, _ := CheckHandshake(r, false); h.Deflate {
			t.Errorf("%s: agreed to while it is switched off", c.offer)
		}
	}
}

func TestCheckHandshake_LooksForDeflateInEveryLine(t *testing.T) {
	h, err := CheckHandshake(request(t, "", "Sec-WebSocket-Extensions: other", "Sec-WebSocket-Extensions: permessage-deflate"), true)
	if err != nil || !h.Deflate {
		t.Errorf("got %+v, error %v", h, err)
	}
}

// response parses what AppendResponse made.
func response(t *testing.T, h Handshake) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(h.AppendResponse(nil)))), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestAppendResponse_SwitchesProtocols(t *testing.T) {
	h := Handshake{Accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Subprotocol: "holdfast.v1", Deflate: true}
	want := strings.ReplaceAll(`dstHTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: holdfast.v1
Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover

`, "\n", "\r\n")
	if got := string(h.AppendResponse([]byte("dst"))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	res := response(t, Handshake{Accept: "a"})
	if res.StatusCode != 101 || len(res.Header) != 3 {
		t.Errorf("without subprotocol and extension: %d, %v", res.StatusCode, res.Header)
	}
}
