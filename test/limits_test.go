//go:build linux

package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// enter asks to be let in from a loopback address, with more header lines and
// something in front, and returns the status of the answer and the
// connection.
func (s *server) enter(from, front, headers string) (status int, answer *http.Response, r *raw) {
	s.t.Helper()
	r = s.dialFrom(from)
	r.write([]byte(front + handshake + headers + "\r\n"))
	answer, err := http.ReadResponse(r.in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, answer, r
}

// bounded checks that a newcomer is refused with 429 and told the flag.
func (s *server) bounded(from, headers, flag string) {
	s.t.Helper()
	status, answer, _ := s.enter(from, "", headers)
	after, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	text := make([]byte, 1000)
	n, _ := answer.Body.Read(text)
	if status != http.StatusTooManyRequests || after < 5 || after > 30 || !strings.Contains(string(text[:n]), flag) || !strings.Contains(string(text[:n]), "too_many_requests") {
		s.t.Errorf("%s %q: %d, Retry-After %d: %s", from, headers, status, after, text[:n])
	}
}

func (s *server) admitted(from, headers string) *raw {
	s.t.Helper()
	status, _, r := s.enter(from, "", headers)
	if status != http.StatusSwitchingProtocols {
		s.t.Errorf("%s %q: %d", from, headers, status)
	}
	return r
}

func TestLimits_SessionsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, "--max-sessions-per-address", "2")
	first := s.admitted("127.0.0.1", "")
	s.admitted("127.0.0.1", "")
	s.bounded("127.0.0.1", "", "--max-sessions-per-address")
	s.bounded("127.0.0.1", "X-Forwarded-For: 198.51.100.1\r\n", "--max-sessions-per-address")
	if plain := s.call("GET", "/ws", ""); plain.status != http.StatusTooManyRequests {
		t.Errorf("asked by a plain GET: %d %s", plain.status, plain.body)
	}
	s.admitted("127.0.0.2", "")
	if n := s.metric(`holdfast_limit_refusals_total{limit="sessions_per_address"}`); n != 2 {
		t.Errorf("%v counted, want 2", n)
	}
	first.abort()
	eventually(t, "a session has ended", func() bool { return s.metric("holdfast_sessions") == 2 })
	s.admitted("127.0.0.1", "")
}

func TestLimits_SessionsOfOneUser(t *testing.T) {
	t.Parallel()
	const secret = "a-secret-of-at-least-thirty-two-bytes"
	s := serve(t, "--max-sessions-per-user", "1", "--jwt-secret", secret)
	token := func(user string) string {
		exit, text := output(t, "token", "create", "--secret", secret, "--sub", user, "--channels", "*")
		if exit != 0 {
			t.Fatalf("%d: %s", exit, text)
		}
		return "Authorization: Bearer " + strings.TrimSpace(text) + "\r\n"
	}
	s.admitted("127.0.0.1", token("ann"))
	s.bounded("127.0.0.2", token("ann"), "--max-sessions-per-user")
	s.admitted("127.0.0.1", token("bob"))
	if n := s.metric(`holdfast_limit_refusals_total{limit="sessions_per_user"}`); n != 1 {
		t.Errorf("%v counted, want 1", n)
	}
}

func TestLimits_MessagesASecondOfOneAddressAndOfOneKey(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"channel":"a","data":1}`+"\n", 400)
	const key = "Authorization: Bearer a-key-of-sixteen-bytes-or-more"
	for _, flags := range [][]string{{}, {"--api-key", "a-key-of-sixteen-bytes-or-more"}} {
		s := serve(t, append(flags, "--max-publish-rate", "100")...)
		a := s.call("POST", "/v1/messages", many, key)
		published, refused := strings.Count(a.body, `"subscribers"`), strings.Count(a.body, `"code":"too_many_requests"`)
		if a.status != http.StatusOK || published < 100 || published+refused != 400 || refused == 0 || !strings.Contains(a.body, "--max-publish-rate") {
			t.Errorf("%q: %d, %d published, %d refused", flags, a.status, published, refused)
		}
		if n := s.metric(`holdfast_limit_refusals_total{limit="publish_rate"}`); n != float64(refused) {
			t.Errorf("%q: %v counted, want %d", flags, n, refused)
		}
	}
}

func TestProxies_TheirClientsAreToldApart(t *testing.T) {
	t.Parallel()
	s := serve(t, "--max-sessions-per-address", "1", "--trusted-proxy", "127.0.0.1", "--trusted-proxy", "127.0.1.0/24")
	s.admitted("127.0.0.1", "X-Forwarded-For: 6.6.6.6, 198.51.100.1\r\n")
	s.bounded("127.0.1.9", "Forwarded: for=198.51.100.1;proto=https\r\n", "--max-sessions-per-address")
	s.admitted("127.0.0.1", "Forwarded: for=\"[2001:db8::1]:77\", for=127.0.1.1\r\n")
	s.bounded("127.0.0.1", "X-Forwarded-For: 2001:db8::2\r\n", "--max-sessions-per-address")
	s.admitted("127.0.0.2", "X-Forwarded-For: 198.51.100.9\r\n")
	s.bounded("127.0.0.2", "X-Forwarded-For: 198.51.100.10\r\n", "--max-sessions-per-address")
	list := s.call("GET", "/v1/sessions", "").body
	for _, want := range []string{`"address":"198.51.100.1"`, `"address":"[2001:db8::1]:77"`, `"address":"127.0.0.2:`} {
		if !strings.Contains(list, want) {
			t.Errorf("%s is not in %s", want, list)
		}
	}
}

func TestProxies_TheProxyProtocolNamesClientsOfTheLoops(t *testing.T) {
	t.Parallel()
	s := serve(t, "--proxy-protocol", "--trusted-proxy", "127.0.0.1", "--max-sessions-per-address", "1")
	header := func(address string) string { return fmt.Sprintf("PROXY TCP4 %s 10.0.0.9 4321 8000\r\n", address) }
	status, _, r := s.enter("127.0.0.1", header("198.51.100.1"), "")
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", status)
	}
	if status, _, _ := s.enter("127.0.0.1", header("198.51.100.1"), ""); status != http.StatusTooManyRequests {
		t.Errorf("a second one: %d", status)
	}
	if status, _, _ := s.enter("127.0.0.1", header("198.51.100.2"), ""); status != http.StatusSwitchingProtocols {
		t.Errorf("another one: %d", status)
	}
	if status, _, _ := s.enter("127.0.0.2", header("198.51.100.3"), ""); status != http.StatusBadRequest {
		t.Errorf("from elsewhere: %d", status)
	}
	list := s.call("GET", "/v1/sessions", "").body // without a header: as a health check does
	if !strings.Contains(list, `"address":"198.51.100.1:4321","transport":"loop"`) {
		t.Errorf("%s", list)
	}
	s.publish("broadcast", `"to all"`)
	if err := r.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := bufio.NewReader(r.in).ReadString('}'); err != nil || !strings.Contains(text, `"welcome"`) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestHTTP2_PublishAndListenOverOneConnection(t *testing.T) {
	t.Parallel()
	s := newAuthority(t).issue(t).serve(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.issuer.pool}, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	s.web.Transport = transport
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address+"/events?channels=a", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	if stream.ProtoMajor != 2 || stream.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", stream.Proto, stream.Status)
	}
	lines := bufio.NewReader(stream.Body)
	until := func(want string) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("%v before %q", err, want)
			}
			if strings.Contains(line, want) {
				return
			}
		}
	}
	until(`"subscribed"`)
	for i := range 3 {
		s.publish("a", fmt.Sprintf(`{"n":%d}`, i))
		until(fmt.Sprintf(`"data":{"n":%d}`, i))
	}
	if a := s.call("GET", "/ws", ""); a.status != http.StatusUpgradeRequired || !strings.Contains(a.body, "HTTP/1.1") || a.header.Get("Upgrade") != "" {
		t.Errorf("GET /ws: %d %v %s", a.status, a.header, a.body)
	}
}
