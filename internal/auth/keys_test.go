package auth

import (
	"fmt"
	"strings"
	"testing"
)

const (
	first  = "k1-0123456789abcdef"
	second = "k2-0123456789abcdef"
)

func TestKeys_MatchesEachOfItsKeysAndNothingElse(t *testing.T) {
	keys, err := NewKeys(first, second)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		first: true, second: true,
		"": false, first[:18]: false, first + "0": false, strings.ToUpper(first): false, " " + first: false,
	} {
		if got := keys.Match(key); got != want {
			t.Errorf("Match(%q) = %t, want %t", key, got, want)
		}
	}
}

func TestKeys_TheEmptySetMatchesNothing(t *testing.T) {
	var keys Keys
	if keys.Match("") || keys.Match(first) {
		t.Error("the empty set matched")
	}
}

func TestKeys_TheSameKeyTwiceIsOneKeyTwice(t *testing.T) {
	keys, err := NewKeys(first, first)
	if err != nil || !keys.Match(first) {
		t.Errorf("a key given twice does not match: %v", err)
	}
}

func TestNewKeys_NamesABadKeyByItsPlaceAndNeverShowsIt(t *testing.T) {
	for _, bad := range []string{"", "fifteen-bytes--", "with a space 0123456789", "nl-0123456789abcd\n", "umlaut-0123456789ü", strings.Repeat("x", MaxKey+1)} {
		_, err := NewKeys(first, bad)
		if err == nil {
			t.Errorf("%q was accepted", bad)
			continue
		}
		if !strings.Contains(err.Error(), "#2") || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("the error for %q reads %q", bad, err)
		}
	}
}

func TestKeys_PrintingThemShowsNoKey(t *testing.T) {
	keys, err := NewKeys(first)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", keys, keys, keys, keys); strings.Contains(s, first) {
		t.Error("the key is shown")
	}
}
