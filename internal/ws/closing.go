package ws

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The close codes that this package gives or tells (RFC 6455, section 7.4.1).
const (
	codeProtocol = 1002 // the other end broke RFC 6455 or 7692
	codeNoStatus = 1005 // a Close without a status; never on the wire
	codeBadData  = 1007 // text that is not UTF-8, or data that does not inflate
	codeTooBig   = 1009 // over the limit
)

// CloseError is a fault of the other end. The connection is to be failed with
// the code and reason (RFC 6455, section 7.1.7).
type CloseError struct {
	Code   uint16 // 1002, 1007 or 1009
	Reason string // at most 123 bytes of ASCII, nothing in it is the other end's text
}

func (e *CloseError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Reason) }

func fault(code uint16, reason string) *CloseError {
	return &CloseError{Code: code, Reason: reason}
}

// parseClose reads the payload of a Close (RFC 6455, section 5.5.1).
func parseClose(payload []byte) (Message, error) {
	if len(payload) == 0 {
		return Message{Op: Close, Code: codeNoStatus}, nil
	}
	if len(payload) == 1 {
		return Message{}, fault(codeProtocol, "close frame of one byte; a status takes two")
	}
	code, reason := binary.BigEndian.Uint16(payload), payload[2:]
	if !sendable(code) {
		return Message{}, fault(codeProtocol, fmt.Sprintf("close frame with status %d, which may not be sent", code))
	}
	if !utf8.Valid(reason) {
		return Message{}, fault(codeBadData, "close reason is not UTF-8")
	}
	return Message{Op: Close, Code: code, Data: reason}, nil
}

// sendable reports whether a close code may stand in a frame (RFC 6455,
// section 7.4, and the IANA registry up to 1014).
func sendable(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}

// maxReason is what a control frame holds beside the status.
const maxReason = maxControl - 2

// AppendClose appends a server's Close frame to dst. A reason over 123 bytes
// is cut at a rune's end, and bytes that are not UTF-8 become U+FFFD. A code
// that may not be sent, such as 1005, makes a Close without status: the right
// answer to one that had none.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	if !sendable(code) {
		return AppendHeader(dst, Close, false, 0)
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReason {
		end := maxReason
		for !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	dst = AppendHeader(dst, Close, false, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, code)
	return append(dst, reason...)
}
