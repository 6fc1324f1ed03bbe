package auth

import (
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestFromRequest_FindsTheTokenInOnePlace(t *testing.T) {
	long := strings.Repeat("a", MaxToken)
	for _, c := range []struct {
		name      string
		target    string
		auth      []string
		protocols []string
		token     string
		code      wire.Code
	}{
		{"none", "/ws?channels=a", nil, []string{"holdfast.v1"}, "", ""},
		{"query", "/ws?token=a.b.c", nil, nil, "a.b.c", ""},
		{"query, escaped", "/ws?token=a%2Eb.c", nil, nil, "a.b.c", ""},
		{"header", "/ws", []string{"Bearer a.b.c"}, nil, "a.b.c", ""},
		{"subprotocol", "/ws", nil, []string{"holdfast.v1, bearer.a.b.c"}, "a.b.c", ""},
		{"subprotocol first", "/ws", nil, []string{"bearer.a.b.c,holdfast.v1"}, "a.b.c", ""},
		{"subprotocols in two lines", "/ws", nil, []string{"holdfast.v1", "\tbearer.a.b.c "}, "a.b.c", ""},
		{"beside another one", "/ws?token=a", nil, []string{"graphql-ws"}, "a", ""},
		{"as long as may be", "/ws?token=" + long, nil, nil, long, ""},

		{"query twice", "/ws?token=a&token=a", nil, nil, "", wire.BadRequest},
		{"query twice, once empty", "/ws?token=a&token=", nil, nil, "", wire.BadRequest},
		{"header twice", "/ws", []string{"Bearer a", "Bearer a"}, nil, "", wire.BadRequest},
		{"subprotocol twice", "/ws", nil, []string{"holdfast.v1, bearer.a, bearer.a"}, "", wire.BadRequest},
		{"subprotocol in two lines", "/ws", nil, []string{"holdfast.v1, bearer.a", "bearer.b"}, "", wire.BadRequest},
		{"query and header", "/ws?token=a", []string{"Bearer a"}, nil, "", wire.BadRequest},
		{"query and subprotocol", "/ws?token=a", nil, []string{"holdfast.v1, bearer.a"}, "", wire.BadRequest},
		{"header and subprotocol", "/ws", []string{"Bearer a"}, []string{"holdfast.v1, bearer.a"}, "", wire.BadRequest},
		{"empty query and header", "/ws?token=", []string{"Bearer a"}, nil, "", wire.BadRequest},
		{"subprotocol alone", "/ws", nil, []string{"bearer.a"}, "", wire.BadRequest},
		{"too long", "/ws?token=a" + long, nil, nil, "", wire.BadRequest},
		{"too long in the header", "/ws", []string{"Bearer a" + long}, nil, "", wire.BadRequest},
		{"too long in a subprotocol", "/ws", nil, []string{"holdfast.v1, bearer.a" + long}, "", wire.BadRequest},
		{"query not to be read", "/ws?token=%zz", nil, nil, "", wire.BadRequest},
		{"semicolon", "/ws?a;token=a", nil, nil, "", wire.BadRequest},
		{"query empty", "/ws?token=", nil, nil, "", wire.Unauthorized},
		{"subprotocol empty", "/ws", nil, []string{"holdfast.v1, bearer."}, "", wire.Unauthorized},
		{"another scheme", "/ws", []string{"Basic a"}, nil, "", wire.Unauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", c.target, nil)
			for _, value := range c.auth {
				r.Header.Add("Authorization", value)
			}
			for _, value := range c.protocols {
				r.Header.Add("Sec-WebSocket-Protocol", value)
			}
			token, err := FromRequest(r)
			var code wire.Code
			if err != nil {
				code = err.Code
			}
			if token != c.token || code != c.code {
				t.Errorf("got %.20q, %q, want %.20q, %q", token, code, c.token, c.code)
			}
		})
	}
}
