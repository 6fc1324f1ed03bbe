package httpapi

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"holdfast.dev/holdfast/internal/wire"
)

func TestErrors_EveryCodeHasItsHeadingInTheDocs(t *testing.T) {
	docs, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var headings []string
	for line := range strings.Lines(string(docs)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			headings = append(headings, strings.TrimSpace(name))
		}
	}
	for _, code := range wire.Codes() {
		if !slices.Contains(headings, string(code)) {
			t.Errorf("docs/errors.md has no heading %q", code)
		}
		if code.Help() != "docs/errors.md#"+string(code) {
			t.Errorf("%s: help points to %s", code, code.Help())
		}
		if !strings.Contains(string(docs), fmt.Sprintf("## %s\n\n%d.", code, code.Status())) {
			t.Errorf("docs/errors.md does not say that %s is %d", code, code.Status())
		}
	}
	for _, name := range headings {
		if !slices.Contains(wire.Codes(), wire.Code(name)) {
			t.Errorf("docs/errors.md explains %q, which is no code", name)
		}
	}
}

func TestRefuse_EveryCodeIsAnsweredInTheSameForm(t *testing.T) {
	for _, code := range wire.Codes() {
		w := httptest.NewRecorder()
		refuse(w, fmt.Errorf("wrapped: %w", wire.Errorf(code, "what \"happened\"\n<here>")))
		if msg := checkRefused(t, w, code); msg != "what \"happened\"\n<here>" {
			t.Errorf("%s: message %q", code, msg)
		}
		retry, err := strconv.Atoi(w.Header().Get("Retry-After"))
		if wants := code.Status() == 503 || code.Status() == 429; wants != (err == nil) || wants && (retry < 5 || retry > 30) {
			t.Errorf("%s: Retry-After %q", code, w.Header().Get("Retry-After"))
		}
		if got := w.Header().Get("WWW-Authenticate"); (got == "Bearer") != (code.Status() == 401) {
			t.Errorf("%s: WWW-Authenticate %q", code, got)
		}
		if got := w.Header().Get("Connection"); (got == "close") != slices.Contains([]wire.Code{wire.Draining, wire.TooLarge, wire.Timeout}, code) {
			t.Errorf("%s: Connection %q", code, got)
		}
	}
}

func TestRefuse_RetryAfterIsSpread(t *testing.T) {
	seen := make(map[string]bool)
	for range 200 {
		w := httptest.NewRecorder()
		refuse(w, wire.Errorf(wire.Full, "full"))
		seen[w.Header().Get("Retry-After")] = true
	}
	if len(seen) < 15 {
		t.Errorf("200 refusals named %d different delays", len(seen))
	}
}

func TestRefuse_WhatElseGoesWrongIsNotShown(t *testing.T) {
	w := httptest.NewRecorder()
	refuse(w, errors.New("secret path /srv/x"))
	if msg := checkRefused(t, w, wire.Internal); strings.Contains(msg, "secret") {
		t.Errorf("the client is told %q", msg)
	}
}
