package loadgen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// startFleet runs a fleet against s until the test ends, connected.
func startFleet(t *testing.T, s *testServer, opt FleetOptions) *Fleet {
	t.Helper()
	opt.Address, opt.Dialect = s.address(), Holdfast{Host: s.address().String()}
	f := NewFleet(opt)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if err := f.Connected(t.Context()); err != nil {
		t.Fatalf("Connected: %v", err)
	}
	return f
}

func publishTo(t *testing.T, s *testServer, f *Fleet, channels ...string) *Feed {
	t.Helper()
	stream, err := NewStream(context.WithoutCancel(t.Context()), s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stream.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return NewFeed(FeedOptions{Publisher: stream, Fleet: f, Channels: channels, Size: 128})
}

func TestFleet_ReceivesEveryMessageOnce(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d loops", loops), func(t *testing.T) {
			s := newTestServer(t)
			f := startFleet(t, s, FleetOptions{Clients: 20, Loops: loops})
			feed := publishTo(t, s, f, "broadcast")
			if err := feed.Ahead(t.Context(), 64, 1000, 0); err != nil {
				t.Fatal(err)
			}
			if err := feed.Ahead(t.Context(), 1, 10, 0); err != nil {
				t.Fatal(err)
			}
			if err := feed.AtRate(t.Context(), 1000, 100*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			got, want := f.Totals(), Totals{Ready: 20, Delivered: 20 * 1110}
			if got != want || feed.Sent() != 1110 {
				t.Errorf("totals %+v, want %+v; sent %d", got, want, feed.Sent())
			}
			if missing := f.Missing(feed.SentTo); missing != 0 {
				t.Errorf("%d missing", missing)
			}
			if n := f.Latency().Count(); n != want.Delivered {
				t.Errorf("%d latencies, want %d", n, want.Delivered)
			}
		})
	}
}

// Each fault is planted into what client 3 of 5 is sent; the fleet must name
// exactly that.
func TestFleet_FindsPlantedFaults(t *testing.T) {
	faults := []struct {
		name   string
		tamper func(frames [][]byte) [][]byte
		want   func(Totals) bool
	}{
		{"dropped", func(f [][]byte) [][]byte { return slices.Delete(f, 4, 5) },
			func(t Totals) bool { return t.Lost == 1 && t.Repeated == 0 && t.OutOfOrder == 0 }},
		{"repeated", func(f [][]byte) [][]byte { return slices.Insert(f, 4, f[2]) },
			func(t Totals) bool { return t.Lost == 0 && t.Repeated == 1 && t.OutOfOrder == 0 }},
		{"swapped", func(f [][]byte) [][]byte { f[4], f[5] = f[5], f[4]; return f },
			func(t Totals) bool { return t.Lost == 0 && t.Repeated == 0 && t.OutOfOrder == 1 }},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			s := newTestServer(t)
			s.tamper = func(client int, frames [][]byte) [][]byte {
				if client != 3 {
					return frames
				}
				return fault.tamper(slices.Clone(frames))
			}
			f := startFleet(t, s, FleetOptions{Clients: 5})
			feed := publishTo(t, s, f, "broadcast")
			if err := feed.Ahead(t.Context(), 80, 10, 0); err != nil {
				t.Fatal(err)
			}
			if got := f.Totals(); !fault.want(got) {
				t.Errorf("totals %+v", got)
			}
		})
	}
}

func TestFleet_CountsWhatNeverComes(t *testing.T) {
	s := newTestServer(t)
	s.tamper = func(client int, frames [][]byte) [][]byte {
		if client == 1 {
			return nil
		}
		return frames
	}
	f := startFleet(t, s, FleetOptions{Clients: 3, Patience: 100 * time.Millisecond})
	feed := publishTo(t, s, f, "broadcast")
	if err := feed.Ahead(t.Context(), 1000, 4, 0); !errors.Is(err, ErrStuck) {
		t.Errorf("Ahead: %v, want ErrStuck", err)
	}
	if missing := f.Missing(feed.SentTo); missing != 4 {
		t.Errorf("%d missing, want 4", missing)
	}
}

// A client that has stopped reading holds nobody up and is not missed.
func TestFleet_GoesOnWithoutStalledClients(t *testing.T) {
	s := newTestServer(t)
	f := startFleet(t, s, FleetOptions{Clients: 3, Stalled: 1})
	f.Stall()
	feed := publishTo(t, s, f, "broadcast")
	if err := feed.Ahead(t.Context(), 10, 100, 0); err != nil {
		t.Fatal(err)
	}
	if got := f.Totals(); got.Delivered != 200 || f.Missing(feed.SentTo) != 0 {
		t.Errorf("totals %+v, %d missing", got, f.Missing(feed.SentTo))
	}
}

// One that the server closes is missed, but holds nobody up either.
func TestFleet_GoesOnWithoutClientsThatTheServerCloses(t *testing.T) {
	s := newTestServer(t)
	s.tamper = func(client int, frames [][]byte) [][]byte {
		if client == 2 {
			return [][]byte{serverFrame(opClose, []byte{0x0f, 0xa8})}
		}
		return frames
	}
	f := startFleet(t, s, FleetOptions{Clients: 3})
	feed := publishTo(t, s, f, "broadcast")
	if err := feed.Ahead(t.Context(), 1, 5, 0); err != nil {
		t.Fatal(err)
	}
	got, missing := f.Totals(), f.Missing(feed.SentTo)
	if got.Ended != 1 || got.Ready != 2 || missing != 5 || f.Faults()["closed by the server with code 4008"] != 1 {
		t.Errorf("totals %+v, %d missing, faults %v", got, missing, f.Faults())
	}
}
