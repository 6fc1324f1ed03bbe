package loadgen

// descriptors is how many sockets this process may hold: Windows sets no limit
// that a bench would meet.
func descriptors() int { return 1 << 30 }
