package journal

// place is what the file has of a channel.
type place struct {
	last   uint64 // seq of the newest entry in the file
	staged uint64 // seq of the newest one in the transaction being made, 0 for none
	marks  []mark // of those that are held, the oldest first
}

// mark is where one entry stands in the file.
type mark struct{ seq, pos uint64 }

// newest returns the seq of the newest entry, those in the transaction being
// made among them.
func (p *place) newest() uint64 { return max(p.last, p.staged) }
