package loadgen

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat: USER_HZ, which is 100
// on every Linux architecture that Go supports.
const clockTick = time.Second / 100

// CPU is the processor time, user and system, that a process has taken since
// its start, to 10 ms.
func (p Process) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", p, err)
	}
	// The command's name stands in parentheses and may hold anything; utime and
	// stime are fields 14 and 15, counted from 1 (proc(5)).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time of process %d: its stat file has too few fields", p)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time of process %d: %w", p, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// Resident is how many bytes of a process are in memory.
func (p Process) Resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return 0, fmt.Errorf("resident memory of process %d: %w", p, err)
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("resident memory of process %d: %w", p, err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("resident memory of process %d: it has none (it has ended)", p)
}
