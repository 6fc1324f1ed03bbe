package config

import "testing"

func TestNearest_FindsWhatWasMeantAndNothingElse(t *testing.T) {
	known := settingNames()
	tests := map[string]string{
		"listn": "listen", "drain_limit": "drain-limit", "DRAIN-LIMIT": "drain-limit", "api-keys": "api-key",
		"hearbteat": "heartbeat", "allow-origins": "allow-origin", "schedule": "schedules", "drain": "drain-limit",
		"x": "", "": "", "kubernetes": "", "zz": "",
	}
	for word, want := range tests {
		got := ""
		if near := Nearest(word, known); len(near) > 0 {
			got = near[0]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance_CountsSwapsAsOne(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"publsh", "publish", 1}, {"kitten", "sitting", 3}}
	for _, test := range tests {
		if got := distance(test.a, test.b); got != test.want || distance(test.b, test.a) != test.want {
			t.Errorf("%s to %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
