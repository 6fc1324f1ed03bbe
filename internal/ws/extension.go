package ws

import (
	"slices"
	"strings"
)

// acceptDeflate looks through Sec-WebSocket-Extensions for the first offer of
// permessage-deflate that can be honoured (RFC 7692, section 7.1), and whether
// it must be answered with server_max_window_bits=15. Anything else in there,
// malformed or not, is declined by saying nothing.
func acceptDeflate(lines []string) (ok, serverWindow bool) {
	for _, line := range lines {
		for offer := range split(line, ',') {
			params := slices.Collect(split(offer, ';'))
			if trim(params[0]) != "permessage-deflate" {
				continue
			}
			if ok, serverWindow = acceptParams(params[1:]); ok {
				return ok, serverWindow
			}
		}
	}
	return false, false
}

// acceptParams decides on the parameters of one offer. The flate package
// inflates any window and deflates with one of 15 bits alone, so an offer that
// wants the server to use less is declined.
func acceptParams(params []string) (ok, serverWindow bool) {
	var seen []string
	for _, param := range params {
		name, value, valued := strings.Cut(param, "=")
		name, value = trim(name), unquote(trim(value))
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = !valued
		case "client_max_window_bits":
			ok = !valued || windowBits(value)
		case "server_max_window_bits":
			ok, serverWindow = value == "15", true
		default:
			ok = false
		}
		if !ok || slices.Contains(seen, name) {
			return false, false
		}
		seen = append(seen, name)
	}
	return true, serverWindow
}

// windowBits reports whether s is a number from 8 to 15, without leading zero.
func windowBits(s string) bool {
	return s == "8" || s == "9" || len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5'
}

// unquote returns the value of a parameter without the quotes that it may
// stand in. No value that matters here has an escape in it.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
