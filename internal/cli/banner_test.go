package cli

import (
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"holdfast.dev/holdfast/internal/config"
)

func TestBanner_SaysHowToTryItInThreeLines(t *testing.T) {
	open := config.Default()
	keyed, _, err := (&config.Loader{
		Flags:   map[string][]string{"listen": {":8000"}, "tls-cert": {"c.pem"}, "tls-key": {"k.pem"}},
		Environ: []string{"HOLDFAST_API_KEY=0123456789abcdef,fedcba9876543210"},
	}).Load()
	if err != nil {
		t.Fatal(err)
	}
	insecure := config.Default()
	insecure.Insecure = true
	tests := []struct {
		name string
		cfg  config.Config
		addr net.TCPAddr
	}{
		{"open", open, net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000}},
		{"keyed", keyed, net.TCPAddr{IP: net.IPv6unspecified, Port: 8000}},
		{"insecure", insecure, net.TCPAddr{IP: net.IPv4(192, 168, 1, 2), Port: 80}},
	}
	for _, test := range tests {
		var b strings.Builder
		greeting{cfg: test.cfg, addr: &test.addr, version: "1.2.3", pid: 4711}.banner(&b)
		golden(t, "testdata/banner/"+test.name+".txt", b.String())
		if strings.Contains(b.String(), "0123456789abcdef") {
			t.Error("the banner shows a key")
		}
	}
	var b strings.Builder
	greeting{cfg: open, addr: &tests[0].addr, version: "1.2.3", pid: 4711}.banner(&b)
	for line := range strings.Lines(b.String()) {
		if utf8.RuneCountInString(line) > 81 {
			t.Errorf("%d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
}

func TestServe_GreetsPeopleWithABannerAndMachinesWithALine(t *testing.T) {
	terminal := func(io *Stdio) { io.ErrTerminal = true }
	if got := runIn(t, terminal, "serve"); !strings.Contains(got.err, "websocat ws://127.0.0.1:8000/ws") {
		t.Errorf("on a terminal: %s", got.err)
	}
	if got := runIn(t, terminal, "serve", "--log-format", "json"); !strings.HasPrefix(got.err, "{") {
		t.Errorf("on a terminal, json asked for: %s", got.err)
	}
	if got := runIn(t, nil, "serve"); !strings.HasPrefix(got.err, "{") || strings.Count(got.err, "\n") != 1 {
		t.Errorf("elsewhere: %s", got.err)
	}
}
