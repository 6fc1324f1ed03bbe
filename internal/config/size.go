package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// Units of sizes.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var sizeUnits = []struct {
	name string
	size Size
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1}}

// ParseSize reads a whole number of bytes with its unit: 512B, 64KiB, 1MiB
// or 2GiB.
func ParseSize(text string) (Size, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil {
			break
		}
		if Size(n) > math.MaxInt64/u.size {
			return 0, fmt.Errorf("%s is more than can be counted", quote(text))
		}
		return Size(n) * u.size, nil
	}
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		return 0, fmt.Errorf("%s has no unit; write %[2]dB, %[2]dKiB or %[2]dMiB", quote(text), n)
	}
	return 0, fmt.Errorf("%s is not a size; write for example 512B, 64KiB or 1MiB", quote(text))
}

// String returns the size in its largest whole unit, as [ParseSize] reads it.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
