package ledger

// hash is fixed for ever: journals hold the counters of shards, and a channel
// must find its own again. Names that collide share what is known of them
// without a record; that can only make an answer more cautious.
func hash(name string) uint64 {
	h := 0x9e3779b97f4a7c15 ^ uint64(len(name))
	for len(name) >= 8 {
		word := uint64(name[0]) | uint64(name[1])<<8 | uint64(name[2])<<16 | uint64(name[3])<<24 |
			uint64(name[4])<<32 | uint64(name[5])<<40 | uint64(name[6])<<48 | uint64(name[7])<<56
		h = mix(h ^ word)
		name = name[8:]
	}
	var word uint64
	for i := range len(name) {
		word |= uint64(name[i]) << (8 * i)
	}
	return mix(h ^ word)
}

func mix(x uint64) uint64 {
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	x *= 0x94d049bb133111eb
	return x ^ x>>29
}

// Shard returns which shard a channel belongs to: a number below Shards. It
// never changes for a name.
func Shard(channel string) int { return int(hash(channel) % Shards) }
