package main

import (
	"bytes"
	"testing"

	"github.com/coder/websocket"
)

// A client that others wrote and use sees what they would expect.
func TestEcho_ToAClientOfItsOwnMind(t *testing.T) {
	everywhere(t, func(t *testing.T, address, extensions string) {
		options := &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled}
		if extensions != "" {
			options = &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1}
		}
		c, _, err := websocket.Dial(t.Context(), "ws://"+address, options)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		c.SetReadLimit(maxMessage)
		for _, n := range []int{0, 1, 1000, 100_000} {
			for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
				p := bytes.Repeat([]byte("x"), n)
				if err := c.Write(t.Context(), kind, p); err != nil {
					t.Fatal(err)
				}
				if got, back, err := c.Read(t.Context()); err != nil || got != kind || !bytes.Equal(p, back) {
					t.Fatalf("%v of %d bytes came back as %v of %d, %v", kind, n, got, len(back), err)
				}
			}
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	})
}
