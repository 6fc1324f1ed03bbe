//go:build linux

package oracle

import (
	"syscall"
	"testing"
	"time"
)

// A history that nothing leaves, and a lag that nobody has.
const (
	roomy = 100_000
	ample = 64 << 20
)

// TestOracle_NothingIsLost has nothing that would have to be told: every
// message must come, once and in order, and no gap.
func TestOracle_NothingIsLost(t *testing.T) {
	setup{history: roomy, lag: ample}.run(t)
}

// TestOracle_Expired has clients away for longer than the history reaches
// back, and closes those that are slow.
func TestOracle_Expired(t *testing.T) {
	setup{
		history: 50, lag: 16 << 10,
		reach: "expired gaps and sessions closed as too slow", reached: func(t *tally) int { return min(t.gaps["expired"], t.closed[4008]) },
	}.run(t)
}

// TestOracle_Forgotten has messages go by their age and as all channels
// together keep too much, so that channels hold nothing and are forgotten.
func TestOracle_Forgotten(t *testing.T) {
	setup{
		history: roomy, lag: ample, fickle: true, flags: []string{"--history-age", "1s", "--max-history", "1MiB"},
		reach: "expired gaps", reached: func(t *tally) int { return t.gaps["expired"] },
	}.run(t)
}

// TestOracle_Skip has slow clients go on from the newest message.
func TestOracle_Skip(t *testing.T) {
	setup{
		history: 50, lag: 16 << 10, skip: true, flags: []string{"--slow-clients", "skip"},
		reach: "gaps for being too slow", reached: func(t *tally) int { return t.gaps["too_slow"] },
	}.run(t)
}

// TestOracle_KillMemory kills a server that keeps nothing: every place of
// before is of another epoch, and every gap says so.
func TestOracle_KillMemory(t *testing.T) {
	setup{history: roomy, lag: ample, disturb: crash, reach: restarts, reached: restarted}.run(t)
}

// TestOracle_KillAsync kills a server whose journal is behind by a moment.
func TestOracle_KillAsync(t *testing.T) {
	setup{
		history: 2000, lag: ample, journal: true,
		disturb: crash, reach: restarts, reached: restarted,
	}.run(t)
}

// TestOracle_KillAsyncExpired does so while the history is short.
func TestOracle_KillAsyncExpired(t *testing.T) {
	setup{
		history: 50, lag: 32 << 10, journal: true,
		disturb: crash, reach: restarts, reached: restarted,
	}.run(t)
}

// TestOracle_KillSync kills a server that acknowledges and shows only what is
// on the disk: nothing of it may be lost.
func TestOracle_KillSync(t *testing.T) {
	setup{
		history: 2000, lag: ample, journal: true, sync: true, flags: []string{"--durability", "sync"},
		disturb: crash,
	}.run(t)
}

// TestOracle_DrainJournal ends a server in order: nothing is lost, and no gap
// is told.
func TestOracle_DrainJournal(t *testing.T) {
	setup{
		history: roomy, lag: ample, journal: true, flags: []string{"--drain-limit", "1s"},
		disturb: drain, reach: "sessions closed in order", reached: func(t *tally) int { return t.closed[1012] },
	}.run(t)
}

// TestOracle_LeaveJournal has all clients leave a server that is to end, which
// then ends at once, in the midst of publishes.
func TestOracle_LeaveJournal(t *testing.T) {
	setup{
		history: roomy, lag: ample, journal: true, polite: true,
		disturb: func(t *trial) { t.trouble(syscall.SIGTERM, 3) },
	}.run(t)
}

// TestOracle_DrainMemory ends a server that keeps nothing in order: its
// clients are told that they may have missed something.
func TestOracle_DrainMemory(t *testing.T) {
	setup{
		history: roomy, lag: ample, flags: []string{"--drain-limit", "1s"},
		disturb: drain, reach: restarts, reached: restarted,
	}.run(t)
}

const restarts = "gaps for a restart"

func restarted(t *tally) int { return t.gaps["restarted"] }

// crash kills the server now and then.
func crash(t *trial) { t.trouble(syscall.SIGKILL, max(3, int(*timeFlag/(2*time.Second)))) }

// drain ends the server in order, which takes its time.
func drain(t *trial) { t.trouble(syscall.SIGTERM, 1) }

// trouble restarts the server so many times.
func (t *trial) trouble(sig syscall.Signal, times int) {
	for i := range times {
		due := *timeFlag*time.Duration(i+1)/time.Duration(times+2) - t.book.now()
		t.pause(due + between(t.rng, 0, *timeFlag/10))
		t.restart(sig, between(t.rng, 0, 300*time.Millisecond))
	}
}
