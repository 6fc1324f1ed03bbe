package auth

import (
	"net/http"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestBearer(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		token  string
		code   wire.Code
	}{
		{"none", nil, "", ""},
		{"a key", []string{"Bearer abc"}, "abc", ""},
		{"scheme in another case", []string{"bEARER abc"}, "abc", ""},
		{"more spaces", []string{"Bearer   abc "}, "abc", ""},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, "", wire.BadRequest},
		{"two headers, one empty", []string{"", "Bearer abc"}, "", wire.BadRequest},
		{"empty", []string{""}, "", wire.Unauthorized},
		{"no token", []string{"Bearer"}, "", wire.Unauthorized},
		{"blank token", []string{"Bearer  "}, "", wire.Unauthorized},
		{"another scheme", []string{"Basic abc"}, "", wire.Unauthorized},
		{"scheme missing", []string{"abc"}, "", wire.Unauthorized},
		{"two tokens", []string{"Bearer abc def"}, "", wire.Unauthorized},
		{"joined by a proxy", []string{"Bearer abc,Bearer def"}, "", wire.Unauthorized},
		{"tab", []string{"Bearer\tabc"}, "", wire.Unauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := Bearer(http.Header{"Authorization": c.values})
			var code wire.Code
			if err != nil {
				code = err.Code
			}
			if token != c.token || code != c.code {
				t.Errorf("got %q, %q, want %q, %q", token, code, c.token, c.code)
			}
		})
	}
}
