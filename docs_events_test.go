package holdfast_test

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestProtocol_EventsAreAsTheDocumentShowsThem reads event streams line by
// line. Before a message is awaited, one is published.
func TestProtocol_EventsAreAsTheDocumentShowsThem(t *testing.T) {
	address := serve(t)
	for _, block := range blocks(t, "PROTOCOL.md", "events") {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+block[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got := bufio.NewScanner(resp.Body)
		for want := range strings.Lines(block[1]) {
			want = strings.TrimSuffix(want, "\n")
			if want == "event: message" {
				publish(t, address)
			}
			if !got.Scan() {
				t.Fatalf("the document says %s\nthe server said nothing: %v", want, got.Err())
			}
			if data, ok := strings.CutPrefix(want, "data: "); ok {
				same(t, data, strings.TrimPrefix(got.Text(), "data: "))
				continue
			}
			if form := strings.ReplaceAll(regexp.QuoteMeta(want), "…", "[^,]+"); !regexp.MustCompile("^" + form + "$").MatchString(got.Text()) {
				t.Errorf("the document says %s\nthe server said  %s", want, got.Text())
			}
		}
		cancel()
		_ = resp.Body.Close()
	}
}

// publish tells a channel hi.
func publish(t *testing.T, address string) {
	t.Helper()
	resp, err := http.Post("http://"+address+"/v1/channels/news/messages", "application/json", strings.NewReader(`{"text":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}
