//go:build linux

package oracle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// look asks for history over HTTP all the while, from places that it was
// answered before and for the newest.
func (t *trial) look() {
	rng := rand.New(rand.NewPCG(t.seed, 1<<41))
	web := &http.Client{Timeout: patience}
	defer web.CloseIdleConnections()
	places := make(map[*channel]id)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !t.quiet() {
		<-ticker.C
		q := page{channel: t.book.channels[rng.IntN(len(t.book.channels))], limit: 1 + rng.IntN(120), who: "HTTP", most: 4 << 20}
		if chance(rng, 70) {
			q.since = places[q.channel]
		}
		if t.ask(web, &q) && (q.since == id{} || chance(rng, 40)) {
			places[q.channel] = q.next
		}
	}
}

// ask asks for one page and reports whether there was one.
func (t *trial) ask(web *http.Client, q *page) bool {
	q.begun = t.book.now()
	url := fmt.Sprintf("http://%s/v1/channels/%s/messages?limit=%d", t.server.address(), q.channel.name, q.limit)
	if q.since != (id{}) {
		url += "&since=" + t.book.text(q.since)
	}
	response, err := web.Get(url)
	if err != nil {
		return false // the server may be away
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	f, err := parseFrame(body)
	if err == nil {
		err = q.fill(t.book, f, len(body))
	}
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %.300s: %v", url, response.StatusCode, body, err)
		return false
	}
	t.pages = append(t.pages, *q)
	return true
}
