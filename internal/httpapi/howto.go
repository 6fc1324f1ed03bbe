package httpapi

import (
	"fmt"
	"io"
	"net/http"
)

// howTo says what there is, for whoever looks at the server's address.
func howTo(w http.ResponseWriter, r *http.Request) {
	at := "localhost:8000"
	if h, ok := parseHost(r.Host); ok {
		at = h.String()
	}
	scheme, socket := "http", "ws"
	if r.TLS != nil {
		scheme, socket = "https", "wss"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, fmt.Sprintf(howToText, scheme+"://"+at, socket+"://"+at))
}

const howToText = `holdfast: real-time notifications

  receive   websocat %[2]s/ws
            websocat '%[2]s/ws?channels=news,alerts'
            curl -N '%[1]s/events?channels=news,alerts'
  publish   curl -d '{"text":"hi"}' %[1]s/v1/channels/broadcast/messages
  many      curl -T messages.ndjson -H 'Content-Type: application/x-ndjson' -X POST %[1]s/v1/messages
            one a line: {"channel":"news","data":"hi"}
  look      curl %[1]s/v1/status
            curl %[1]s/v1/channels
            curl %[1]s/v1/sessions
  drain     curl %[1]s/v1/drain
  probes    /livez /readyz /metrics

Calls of /v1 take the header "Authorization: Bearer KEY" where the server has API keys.
`
