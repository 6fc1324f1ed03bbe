package loadgen

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestBench_ReportsWhatItSaw(t *testing.T) {
	s := newTestServer(t)
	s.refuse = 3
	opt := Options{URL: "ws://" + s.address().String() + "/ws", Clients: 10, Size: 200, Rate: 500, Duration: 200 * time.Millisecond}
	calls := 0
	opt.Progress = func(Progress) { calls++ }
	r, err := Bench(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if r.Connected != 10 || r.Refused != 3 || r.Published != 100 || r.Delivered != 1000 || !r.Clean() || r.Failed+r.Disconnected > 0 {
		t.Errorf("report %+v", r)
	}
	if r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P99 || calls == 0 {
		t.Errorf("latency %+v, %d calls of Progress", r.Latency, calls)
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "out of order") {
		t.Errorf("table %q, %v", table.String(), err)
	}
}

func TestBench_ChecksEveryChannelOfEveryClient(t *testing.T) {
	s := newTestServer(t)
	dropped := false
	s.tamper = func(client int, frames [][]byte) [][]byte {
		if client == 2 && !dropped {
			dropped = true
			return frames[1:]
		}
		return frames
	}
	opt := Options{URL: "ws://" + s.address().String() + "/ws", Clients: 4, Channels: 40, Size: 10, Rate: 1000, Duration: 100 * time.Millisecond}
	r, err := Bench(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if r.Channels != 40 || r.Published != 100 || r.Lost != 1 || r.Clean() {
		t.Errorf("report %+v", r)
	}
}

func TestBench_EndsEarlyWithAReport(t *testing.T) {
	s := newTestServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	opt := Options{URL: "ws://" + s.address().String() + "/ws", Clients: 10, Size: 100, Duration: time.Hour}
	opt.Progress = func(p Progress) {
		if p.Published > 100 {
			cancel()
		}
	}
	r, err := Bench(ctx, opt)
	if err != nil || !r.Stopped || r.Published < 100 || r.Delivered != 10*r.Published || !r.Clean() {
		t.Errorf("report %+v, error %v", r, err)
	}
}

func TestBench_OnlyPublishes(t *testing.T) {
	s := newTestServer(t)
	r, err := Bench(t.Context(), Options{URL: "ws://" + s.address().String(), Size: 100, Duration: 50 * time.Millisecond})
	if err != nil || r.Published == 0 || r.Delivered != 0 {
		t.Errorf("report %+v, error %v", r, err)
	}
}

func TestBench_NamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		opt  Options
		want string
	}{
		{Options{URL: "ws://127.0.0.1:1/ws", Clients: 1, Duration: time.Second}, "no server answers"},
		{Options{URL: "wss://127.0.0.1:1/ws", Clients: 1, Duration: time.Second}, "TLS"},
		{Options{URL: "127.0.0.1:1", Clients: 1, Duration: time.Second}, "URL"},
		{Options{URL: "ws://127.0.0.1:1/ws", Clients: 1, Rate: -1}, "rate"},
		{Options{URL: "ws://127.0.0.1:1/ws", Clients: 1 << 30, Duration: time.Second}, "descriptors"},
	} {
		if _, err := Bench(t.Context(), c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one about %s", c.opt, err, c.want)
		}
	}
}
