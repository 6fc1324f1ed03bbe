package httpapi

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestRefusals_AreCountedByTheirCode(t *testing.T) {
	v := newWorld(t)
	v.MaxMessage = 100
	for _, r := range []*http.Request{
		request("GET", "/nowhere", ""),
		request("GET", "/v1/status", "", "Host: evil.example"),
		request("POST", "/v1/channels/a/messages", strings.Repeat("1", 101)),
		request("POST", "/v1/channels/a/messages", "1"),
		request("POST", "/v1/messages", "{}\n"+`{"channel":"a","data":1}`+"\n{\n"),
		request("POST", "/v1/messages", `[{}, {"channel":"a","data":1}]`),
		request("GET", "/ws", ""),
	} {
		v.do(r)
	}
	want := map[wire.Code]int{wire.NotFound: 1, wire.ForbiddenHost: 1, wire.TooLarge: 1, wire.BadRequest: 2, wire.BadJSON: 1, wire.UpgradeRequired: 1}
	if !maps.Equal(v.answered, want) {
		t.Errorf("counted %v, want %v", v.answered, want)
	}
}
