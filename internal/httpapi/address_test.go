package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("127.0.0.1/32")}

// identified returns what a request from peer counts as.
func identified(t *testing.T, peer string, headers ...string) string {
	t.Helper()
	v := newWorld(t)
	v.TrustedProxies = proxies
	r := request("GET", "/ws", "", headers...)
	r.RemoteAddr = peer
	(&api{Deps: v.Deps}).identify(r)
	a := clientAddress(r)
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

func TestAddress_IsTheFirstHopThatIsNoTrustedProxy(t *testing.T) {
	const proxy, xff, fwd = "10.0.0.1:4000", "X-Forwarded-For: ", "Forwarded: "
	for _, c := range []struct {
		peer    string
		headers []string
		want    string
	}{
		// Who is not trusted says nothing about others.
		{"192.0.2.9:1", []string{xff + "198.51.100.1"}, "192.0.2.9:1"},
		{"192.0.2.9:1", []string{fwd + "for=198.51.100.1"}, "192.0.2.9:1"},
		{"[2001:db8::1]:1", []string{xff + "198.51.100.1"}, "[2001:db8::1]:1"},
		{"[::ffff:192.0.2.9]:1", []string{xff + "198.51.100.1"}, "192.0.2.9:1"},

		{proxy, nil, proxy},
		{"[::ffff:10.0.0.1]:4000", []string{xff + "198.51.100.1"}, "198.51.100.1"},
		{"[fd00::1%eth0]:4000", []string{xff + "198.51.100.1"}, "198.51.100.1"},

		{proxy, []string{xff + "198.51.100.1"}, "198.51.100.1"},
		{proxy, []string{xff + "198.51.100.1:77"}, "198.51.100.1:77"},
		{proxy, []string{xff + "2001:db8::7"}, "2001:db8::7"},
		{proxy, []string{xff + "[2001:db8::7]"}, "2001:db8::7"},
		{proxy, []string{xff + "[2001:db8::7]:77"}, "[2001:db8::7]:77"},
		{proxy, []string{xff + "::ffff:198.51.100.1"}, "198.51.100.1"},
		{proxy, []string{xff + "6.6.6.6, 198.51.100.1"}, "198.51.100.1"},
		{proxy, []string{xff + "6.6.6.6,\t198.51.100.1 , 10.1.1.1,fd00::2"}, "198.51.100.1"},
		{proxy, []string{xff + "6.6.6.6", xff + "198.51.100.1", xff + "10.1.1.1"}, "198.51.100.1"},
		{proxy, []string{xff + "10.9.9.9, 10.1.1.1"}, "10.9.9.9"}, // all trusted: the furthest

		// A hop that names nobody ends the walk: the rest may be anybody's.
		{proxy, []string{xff + ""}, proxy},
		{proxy, []string{xff + "6.6.6.6, "}, proxy},
		{proxy, []string{xff + "6.6.6.6", xff + ""}, proxy},
		{proxy, []string{xff + "6.6.6.6, unknown"}, proxy},
		{proxy, []string{xff + "6.6.6.6, garbage, 10.1.1.1"}, "10.1.1.1"},
		{proxy, []string{xff + "6.6.6.6, 1.2.3"}, proxy},
		{proxy, []string{xff + "6.6.6.6, 1.2.3.4.5"}, proxy},
		{proxy, []string{xff + "6.6.6.6, [1.2.3.4]"}, proxy},
		{proxy, []string{xff + "6.6.6.6, [2001:db8::7"}, proxy},
		{proxy, []string{xff + "6.6.6.6, [2001:db8::7]x"}, proxy},
		{proxy, []string{xff + "6.6.6.6, fe80::1%eth0"}, proxy},
		{proxy, []string{xff + "6.6.6.6, 010.0.0.1"}, proxy},

		{proxy, []string{fwd + "for=198.51.100.1"}, "198.51.100.1"},
		{proxy, []string{fwd + `FOR="198.51.100.1:77";proto=https;by=10.0.0.1`}, "198.51.100.1:77"},
		{proxy, []string{fwd + `proto=https; For="[2001:db8::7]:77"`}, "[2001:db8::7]:77"},
		{proxy, []string{fwd + `for="[2001:db8::7]:_secret"`}, "2001:db8::7"},
		{proxy, []string{fwd + `for=6.6.6.6, for=198.51.100.1;host="a,b;c", for="10.1.1.1"`}, "198.51.100.1"},
		{proxy, []string{fwd + `for=6.6.6.6`, fwd + `for=198.51.100.1`}, "198.51.100.1"},
		{proxy, []string{fwd + `for=unknown`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, for=_hidden`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, proto=https`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, for=198.51.100.1;for=7.7.7.7`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, for="198.51.100.1`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, for=198.51.100.1;host="a\"b"`}, proxy},
		{proxy, []string{fwd + `for=6.6.6.6, host="x;for=7.7.7.7;y"`}, proxy},
		{proxy, []string{fwd + `for`}, proxy},
		{proxy, []string{fwd + ``}, proxy},

		// What a client left open hides nothing that the proxy has added.
		{proxy, []string{fwd + `for="6.6.6.6, for=198.51.100.1`}, "198.51.100.1"},
		{proxy, []string{fwd + `for="6.6.6.6`, fwd + `for=198.51.100.1`}, "198.51.100.1"},

		// Both: Forwarded counts.
		{proxy, []string{fwd + "for=198.51.100.1", xff + "203.0.113.1"}, proxy}, {proxy, []string{fwd + "for=198.51.100.1", xff + "198.51.100.1"}, "198.51.100.1"},
		{proxy, []string{fwd + "for=unknown", xff + "203.0.113.1"}, proxy},
	} {
		if got := identified(t, c.peer, c.headers...); got != c.want {
			t.Errorf("%s with %q counts as %s, want %s", c.peer, c.headers, got, c.want)
		}
	}
}

func TestAddress_WithoutTrustedProxiesHeadersSayNothing(t *testing.T) {
	v := newWorld(t)
	r := request("GET", "/ws", "", upgrade("Forwarded: for=198.51.100.1", "X-Forwarded-For: 198.51.100.1")...)
	v.do(r)
	if len(v.addresses) != 1 || v.addresses[0].Addr().String() != "192.0.2.1" { // httptest's
		t.Errorf("let in from %v", v.addresses)
	}
}

func TestAddress_ReachesTheDoorTheRefusalAndTheLog(t *testing.T) {
	v := newWorld(t)
	v.TrustedProxies = proxies
	ask := func(headers ...string) {
		r := request("GET", "/ws", "", append(headers, "X-Forwarded-For: 198.51.100.1")...)
		r.RemoteAddr = "10.0.0.1:4000"
		v.do(r)
	}
	ask(upgrade()...)
	ask() // asks what it would be refused with
	if len(v.addresses) != 2 {
		t.Fatalf("seen %v", v.addresses)
	}
	for _, a := range v.addresses {
		if a.Addr().String() != "198.51.100.1" {
			t.Errorf("seen %v", v.addresses)
		}
	}
	ask("Authorization: Bearer good")
	if want := []string{"", "ann"}; !slices.Equal(v.asked, want) {
		t.Errorf("asked for the users %q, want %q", v.asked, want)
	}
	ask("Host: evil.example")
	if !strings.Contains(v.log.String(), "client=198.51.100.1") {
		t.Errorf("the log says %s", v.log.String())
	}
}

func TestAddress_HostAndSchemeAreNotTakenFromHeaders(t *testing.T) {
	v := newWorld(t)
	v.TrustedProxies = proxies
	r := request("GET", "/", "", "Forwarded: for=198.51.100.1;host=evil.example;proto=https", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https")
	r.RemoteAddr = "10.0.0.1:4000"
	w := v.do(r)
	if body := w.Body.String(); w.Code != http.StatusOK || strings.Contains(body, "evil") || strings.Contains(body, "wss:") {
		t.Errorf("%d %s", w.Code, body)
	}
	r = request("GET", "/v1/status", "", "Host: evil.example", "X-Forwarded-Host: localhost", "Forwarded: for=127.0.0.1;host=localhost")
	r.RemoteAddr = "10.0.0.1:4000"
	checkRefused(t, v.do(r), "forbidden_host")
}

func TestAddress_TwoHeadersThatDisagreeAreLoggedOnce(t *testing.T) {
	v := newWorld(t)
	v.TrustedProxies = proxies
	h := New(v.Deps)
	for _, headers := range [][]string{
		{"Forwarded: for=198.51.100.1;proto=https", "X-Forwarded-For: 198.51.100.1"},
		{"Forwarded: for=6.6.6.6", "X-Forwarded-For: 198.51.100.1"},
		{"Forwarded: for=7.7.7.7", "X-Forwarded-For: 198.51.100.1"},
	} {
		r := request("GET", "/livez", "", headers...)
		r.RemoteAddr = "10.0.0.1:4000"
		h.ServeHTTP(discard{}, r)
	}
	if n := strings.Count(v.log.String(), "name different clients"); n != 1 || strings.Contains(v.log.String(), "6.6.6.6") {
		t.Errorf("%d lines:\n%s", n, v.log.String())
	}
}

// FuzzAddress checks what must hold for any header: the client is one that
// is named in it, or a hop before; and what a proxy adds counts, whatever
// stands before it.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{`for=1.2.3.4`, `for="[2001:db8::1]:80";by=x, for=unknown`, `for="`, `1.2.3.4, ::1`, `host="a\"`, `,,;=`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a := &api{Deps: Deps{TrustedProxies: proxies}}
		peer := netip.MustParseAddrPort("10.0.0.1:4000")
		for _, node := range []func(string) (string, bool){forwardedNode, parseNode} {
			if got := a.walk(peer, []string{line}, node).Addr(); got != peer.Addr() && !got.Is6() && !strings.Contains(line, got.String()) {
				t.Errorf("%q: %s is not in it", line, got)
			}
		}
		for added, node := range map[string]func(string) (string, bool){"for=198.51.100.1": forwardedNode, `for="198.51.100.1:7"`: forwardedNode, "198.51.100.1": parseNode} {
			for _, lines := range [][]string{{line + ", " + added}, {line, added}} {
				if got := a.walk(peer, lines, node).Addr().String(); got != "198.51.100.1" {
					t.Errorf("%q: %s counts", lines, got)
				}
			}
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	v := newWorld(b)
	v.TrustedProxies = slices.Clone(proxies)
	a := &api{Deps: v.Deps}
	r := request("GET", "/ws", "", "X-Forwarded-For: 6.6.6.6, 198.51.100.1, 10.1.1.1")
	b.ReportAllocs()
	for b.Loop() {
		r.RemoteAddr = "10.0.0.1:4000"
		a.identify(r)
	}
}
