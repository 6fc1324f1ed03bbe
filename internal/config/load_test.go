package config

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoad_FlagGoesBeforeVariableBeforeFileBeforeDefault(t *testing.T) {
	file := "# settings\nheartbeat: 20s\n"
	tests := []struct {
		flag, variable, file string
		want                 time.Duration
		origin               string
	}{
		{"40s", "30s", file, 40 * time.Second, "flag --heartbeat"},
		{"", "30s", file, 30 * time.Second, "HOLDFAST_HEARTBEAT"},
		{"", "", file, 20 * time.Second, "etc/holdfast.yaml:2"},
		{"", "", "", 25 * time.Second, "default"},
	}
	for _, test := range tests {
		l := Loader{
			Flags:    map[string][]string{},
			Environ:  []string{"HOLDFAST_CONFIG=etc/holdfast.yaml", "HOLDFAST_HEARTBEAT=" + test.variable},
			ReadFile: func(string) ([]byte, error) { return []byte(test.file), nil },
		}
		if test.flag != "" {
			l.Flags["heartbeat"] = []string{test.flag}
		}
		c, _, err := l.Load()
		if err != nil {
			t.Fatal(err)
		}
		if c.Heartbeat != test.want || c.Origin("heartbeat").String() != test.origin {
			t.Errorf("heartbeat %s from %s, want %s from %s", c.Heartbeat, c.Origin("heartbeat"), test.want, test.origin)
		}
		if c.ConfigFile != "etc/holdfast.yaml" {
			t.Errorf("config file %q", c.ConfigFile)
		}
	}
}

func TestLoad_ALowerSourceIsCheckedEvenWhenOverridden(t *testing.T) {
	l := Loader{Flags: map[string][]string{"heartbeat": {"20s"}}, Environ: []string{"HOLDFAST_HEARTBEAT=soon"}}
	if _, _, err := l.Load(); err == nil || !strings.Contains(err.Error(), "HOLDFAST_HEARTBEAT") {
		t.Errorf("error %v", err)
	}
}

func TestLoad_ReadsEveryFormOfAList(t *testing.T) {
	want := []string{"https://a.example.com", "https://b.example.com:8443"}
	loaders := map[string]Loader{
		"flags":    {Flags: map[string][]string{"allow-origin": want}},
		"variable": {Environ: []string{"HOLDFAST_ALLOW_ORIGIN=https://A.example.com, https://b.example.com:8443,"}},
		"file": {Flags: map[string][]string{"config": {"x"}}, ReadFile: func(string) ([]byte, error) {
			return []byte("allow-origin:\n- https://a.example.com/\n- https://b.example.com:8443\n"), nil
		}},
	}
	for name, l := range loaders {
		c, _, err := l.Load()
		if err != nil || !reflect.DeepEqual(c.AllowOrigins, want) {
			t.Errorf("%s: %v, %v", name, c.AllowOrigins, err)
		}
	}
}

func TestLoad_AcceptsAFileThatSaysNothing(t *testing.T) {
	for _, content := range []string{"", "\n", "# nothing\n", "---\n", "null", "\ufefflisten: 127.0.0.1:1\n"} {
		if _, _, err := loadFile(content); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestLoad_ReadsKeysFromFiles(t *testing.T) {
	const key = "0123456789abcdef"
	read := func(path string) ([]byte, error) {
		switch path {
		case "/run/key":
			return []byte(key + "\n"), nil
		case "/run/two":
			return []byte(key + "\n" + key + "\n"), nil
		}
		return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
	}
	for _, l := range []Loader{
		{Flags: map[string][]string{"api-key": {"@/run/key"}}},
		{Environ: []string{"HOLDFAST_API_KEY=@/run/key"}},
		{Environ: []string{"HOLDFAST_API_KEY_FILE=/run/key"}},
	} {
		l.ReadFile = read
		c, _, err := l.Load()
		if err != nil || len(c.APIKeys) != 1 || c.APIKeys[0].Reveal() != key {
			t.Errorf("%+v: %d keys, %v", l, len(c.APIKeys), err)
		}
	}
	for _, bad := range []string{"/run/two", "/run/none"} {
		l := Loader{Environ: []string{"HOLDFAST_API_KEY_FILE=" + bad}, ReadFile: read}
		if _, _, err := l.Load(); err == nil || !strings.Contains(err.Error(), "HOLDFAST_API_KEY_FILE") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	both := Loader{Environ: []string{"HOLDFAST_API_KEY=" + key, "HOLDFAST_API_KEY_FILE=/run/key"}, ReadFile: read}
	if _, _, err := both.Load(); err == nil {
		t.Error("HOLDFAST_API_KEY and HOLDFAST_API_KEY_FILE were accepted together")
	}
}

func TestLoad_SaysWhichFileIsMissing(t *testing.T) {
	l := Loader{Flags: map[string][]string{"config": {"nowhere/holdfast.yaml"}}}
	_, _, err := l.Load()
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "nowhere/holdfast.yaml") {
		t.Errorf("error %v", err)
	}
}

func TestEnvironment_WarnsOfUnknownVariablesButNotOfServiceLinks(t *testing.T) {
	l := Loader{Environ: []string{
		"HOLDFAST_LISTN=x", "HOLDFAST_ZZZZZZZZ=1", "HOLDFAST_EMPTY=", "HOLDFAST_SERVER=http://x", "OTHER=1",
		"HOLDFAST_PORT=tcp://10.0.0.1:8000", "HOLDFAST_SERVICE_HOST=10.0.0.1", "HOLDFAST_SERVICE_PORT=8000",
		"HOLDFAST_SERVICE_PORT_HTTP=8000", "HOLDFAST_PORT_8000_TCP=tcp://10.0.0.1:8000",
		"HOLDFAST_PORT_8000_TCP_ADDR=10.0.0.1", "HOLDFAST_METRICS_PORT=tcp://10.0.0.2:9090", "HOLDFAST_METRICS_SERVICE_HOST=10.0.0.2",
	}}
	_, warnings, err := l.Load()
	want := []string{
		`the variable "HOLDFAST_LISTN" is no setting. Did you mean "HOLDFAST_LISTEN"?`,
		`the variable "HOLDFAST_ZZZZZZZZ" is no setting.`,
	}
	if err != nil || !reflect.DeepEqual(warnings, want) {
		t.Errorf("warnings %q, error %v", warnings, err)
	}
}

func TestBind_LoopbackNeedsNoKeyAndEverythingElseDoes(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1:8000": true, "127.8.9.1:1": true, "[::1]:8000": true, "localhost:8000": true, "app.localhost:0": true,
		"[::ffff:127.0.0.1]:1": true,
		":8000":                false, "0.0.0.0:8000": false, "[::]:8000": false, "192.168.1.2:80": false,
		"127.0.0.1.evil.com:80": false, "localhost.evil.com:80": false, "example.com:80": false,
	}
	for address, open := range tests {
		c := Default()
		c.Listen = address
		err := c.Validate()
		if bind, refused := errors.AsType[*BindError](err); refused == open || refused && bind.Listen != address {
			t.Errorf("%s: %v", address, err)
		}
		c.Insecure = true
		if err := c.Validate(); err != nil {
			t.Errorf("%s --insecure: %v", address, err)
		}
		c.Insecure, c.APIKeys = false, []Secret{NewSecret("0123456789abcdef")}
		if err := c.Validate(); err != nil {
			t.Errorf("%s with a key: %v", address, err)
		}
	}
}

func TestBind_IsNotBlamedForAFaultyKey(t *testing.T) {
	l := Loader{Flags: map[string][]string{"listen": {":8000"}, "api-key": {"short"}}}
	_, _, err := l.Load()
	if faults := Faults(err); len(faults) != 1 || !strings.Contains(err.Error(), "--api-key") {
		t.Errorf("faults: %v", err)
	}
}

func TestValidate_SaysEveryFault(t *testing.T) {
	c := Default()
	c.Heartbeat, c.MaxLag, c.TLSCert = 0, -1, "cert.pem"
	if faults := Faults(c.Validate()); len(faults) != 3 {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}
