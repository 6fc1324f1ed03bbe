package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/node"
)

func TestServe_EndsWithTheServersOwnExitCode(t *testing.T) {
	tests := []struct {
		code int
		err  error
		want ran
	}{
		{0, nil, ran{0, "", ""}},
		{3, nil, ran{3, "", ""}},
		{5, nil, ran{5, "", ""}},
		{1, errors.New("listen 127.0.0.1:8000: address already in use"), ran{1, "", "holdfast: listen 127.0.0.1:8000: address already in use\n"}},
	}
	for _, test := range tests {
		serve := func(context.Context, config.Config, node.Options) (int, error) { return test.code, test.err }
		var out, err strings.Builder
		code := Run(t.Context(), nil, Stdio{Out: &out, Err: &err}, serve)
		if got := (ran{code, out.String(), err.String()}); got != test.want {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
}

func TestServe_GivesTheServerWhatItNeeds(t *testing.T) {
	file := t.TempDir() + "/holdfast.yaml"
	write(t, file, "heartbeat: 20s\nlog-level: warn\n")
	serve := func(_ context.Context, cfg config.Config, opts node.Options) (int, error) {
		if cfg.Heartbeat.String() != "20s" || opts.Version == "" || opts.Logger.Enabled(t.Context(), slog.LevelInfo) {
			t.Errorf("config %+v, options %+v", cfg, opts)
		}
		write(t, file, "heartbeat: 30s\nlog-level: debug\n")
		next, _, err := opts.Reload()
		if err != nil || next.Heartbeat.String() != "30s" {
			t.Errorf("reloaded %s, %v", next.Heartbeat, err)
		}
		if opts.Level.Set(next.LogLevel); !opts.Logger.Enabled(t.Context(), slog.LevelDebug) {
			t.Error("the level of the logger can't be changed")
		}
		write(t, file, "heartbeat: soon\n")
		if _, _, err := opts.Reload(); err == nil {
			t.Error("a faulty file was reloaded")
		}
		return 0, nil
	}
	if code := Run(t.Context(), []string{"--config", file}, Stdio{Out: io.Discard, Err: io.Discard}, serve); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestShellQuote_IsReadBackByAShell(t *testing.T) {
	for arg, want := range map[string]string{
		"": "''", ":8000": ":8000", "chat-*": "'chat-*'", "it's": `'it'\''s'`, "a b": "'a b'", "$HOME": "'$HOME'", "@/run/key": "@/run/key",
	} {
		if got := shellQuote(arg); got != want {
			t.Errorf("%q: %s, want %s", arg, got, want)
		}
	}
}
