package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecret_IsNeverPrinted(t *testing.T) {
	const key = "hunter2-hunter2-hunter2"
	secret := NewSecret(key)
	c := Default()
	c.APIKeys = []Secret{secret}
	hidden := struct{ inner Config }{c}

	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%10s"} {
		for _, v := range []any{secret, &secret, c, &c, hidden, []Secret{secret}, map[string]Secret{"a": secret}} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
	}
	out, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(out)
	for _, h := range []slog.Handler{slog.NewJSONHandler(&shown, nil), slog.NewTextHandler(&shown, nil)} {
		slog.New(h).Info("x", "secret", secret, "config", c, "keys", c.APIKeys, "hidden", hidden)
	}
	for _, form := range []string{key, fmt.Sprintf("%x", key), fmt.Sprintf("%X", key)} {
		if strings.Contains(shown.String(), form) {
			t.Errorf("a secret was printed as %s", form)
		}
	}
	if secret.Reveal() != key || secret.String() != "(set)" || (Secret{}).String() != "" {
		t.Error("Reveal and String don't say what they should")
	}
}
