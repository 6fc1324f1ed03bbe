package ws

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
)

// Subprotocol is the only one that a server of holdfast speaks and echoes.
const Subprotocol = "holdfast.v1"

// Handshake is an upgrade request that was found good: what to answer it.
type Handshake struct {
	// Accept is the value of Sec-WebSocket-Accept.
	Accept string

	// Subprotocol is "holdfast.v1" when the client offered it, else empty.
	Subprotocol string

	// Deflate says that permessage-deflate is agreed on, without context
	// takeover either way.
	Deflate bool

	// serverWindow says that the client asked for server_max_window_bits=15,
	// which must then be confirmed (RFC 7692, section 7.1.2.1).
	serverWindow bool
}

// HandshakeError is the refusal of an upgrade request.
type HandshakeError struct {
	// Status is 400, or 426 when the request is for another protocol or
	// another version of this one.
	Status int

	// Message says what is wrong with the request and what to do about it. It
	// holds none of the client's text.
	Message string

	// Header holds what the answer must carry beside its body; nil for none.
	Header http.Header
}

func (e *HandshakeError) Error() string { return e.Message }

// CheckHandshake checks an upgrade request (RFC 6455, section 4.2.1) and
// decides on the subprotocol and on permessage-deflate, which it agrees to
// only when deflate is set. It does not look at Host, Origin or any token.
func CheckHandshake(r *http.Request, deflate bool) (Handshake, *HandshakeError) {
	if err := checkUpgrade(r); err != nil {
		return Handshake{}, err
	}
	if versions := r.Header["Sec-Websocket-Version"]; len(versions) > 1 {
		return Handshake{}, badRequest("Sec-WebSocket-Version is given more than once; send one, with the value 13")
	} else if len(versions) == 0 || versions[0] != "13" {
		err := upgradeRequired("only version 13 of the WebSocket protocol is spoken here; send Sec-WebSocket-Version: 13")
		err.Header.Set("Sec-WebSocket-Version", "13")
		return Handshake{}, err
	}
	keys := r.Header["Sec-Websocket-Key"]
	if len(keys) != 1 {
		return Handshake{}, badRequest("Sec-WebSocket-Key must be given exactly once")
	}
	if key, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(key) != 16 {
		return Handshake{}, badRequest("Sec-WebSocket-Key must be 16 random bytes in base64")
	}
	h := Handshake{Accept: acceptKey(keys[0])}
	if hasToken(r.Header["Sec-Websocket-Protocol"], Subprotocol, sameCase) {
		h.Subprotocol = Subprotocol
	}
	if deflate {
		h.Deflate, h.serverWindow = acceptDeflate(r.Header["Sec-Websocket-Extensions"])
	}
	return h, nil
}

// checkUpgrade checks that the request asks for the WebSocket protocol in a
// way that HTTP/1.1 allows.
func checkUpgrade(r *http.Request) *HandshakeError {
	upgrade := hasToken(r.Header["Upgrade"], "websocket", strings.EqualFold)
	connection := hasToken(r.Header["Connection"], "upgrade", strings.EqualFold)
	_, key := r.Header["Sec-Websocket-Key"]
	switch {
	case !upgrade && !key:
		return upgradeRequired("this address speaks WebSocket; connect with a WebSocket client")
	case !upgrade || !connection:
		return badRequest("the request has no Connection: Upgrade with Upgrade: websocket; a proxy in between may have removed them and must pass them on")
	case r.Method != http.MethodGet:
		return badRequest("a WebSocket begins with GET")
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return badRequest("a WebSocket begins with HTTP/1.1; a proxy in between may have changed the version")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return badRequest("a WebSocket upgrade must not have a body")
	}
	return nil
}

func badRequest(message string) *HandshakeError {
	return &HandshakeError{Status: http.StatusBadRequest, Message: message}
}

// upgradeRequired is a 426, which must name what to upgrade to (RFC 9110,
// section 15.5.22).
func upgradeRequired(message string) *HandshakeError {
	return &HandshakeError{
		Status:  http.StatusUpgradeRequired,
		Message: message,
		Header:  http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
	}
}

// acceptKey returns the Sec-WebSocket-Accept that answers a key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// AppendResponse appends the answer to the request, 101 and its header, to
// dst. Frames follow it.
func (h Handshake) AppendResponse(dst []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = append(dst, h.Accept...)
	if h.Subprotocol != "" {
		dst = append(dst, "\r\nSec-WebSocket-Protocol: "...)
		dst = append(dst, h.Subprotocol...)
	}
	if h.Deflate {
		dst = append(dst, "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"...)
		if h.serverWindow {
			dst = append(dst, "; server_max_window_bits=15"...)
		}
	}
	return append(dst, "\r\n\r\n"...)
}
