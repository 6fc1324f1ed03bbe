//go:build unix

package drain

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrain_LogsItsStatusWhenAsked(t *testing.T) {
	t.Run("status", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newTrial(Config{ForceOver: 5 * time.Second}, newCrowd(600))
			d.crowd.linger = time.Second
			d.run(t, func() {
				pause := time.Sleep
				d.kill(syscall.SIGUSR1) // while serving
				pause(300 * time.Millisecond)
				d.kill(syscall.SIGUSR1) // within the same second: said when it is over
				d.kill(syscall.SIGUSR1)
				pause(10 * time.Second)
				d.kill(sigterm)
				pause(12345 * time.Millisecond)
				d.crowd.leave(20)
				d.kill(syscall.SIGUSR1)
				pause(10 * time.Second)
				d.kill(sigint)
				pause(1250 * time.Millisecond)
				d.kill(syscall.SIGUSR1) // while forcing
			})
			golden(t, d.log.Bytes())
		})
	})
}
