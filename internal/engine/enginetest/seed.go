package enginetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// seeded returns a random generator whose seed it logs. The variable
// HOLDFAST_SEED sets the seed.
func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("HOLDFAST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("HOLDFAST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
