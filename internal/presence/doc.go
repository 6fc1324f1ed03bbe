// Package presence keeps who is at which channel.
//
// A user is at a channel from the first of their sessions that subscribes to
// it until the last has been gone for a while, the linger: a page that is
// loaded again, or a connection that breaks and comes back, is neither a
// leave nor a join. A session without a user stands for itself.
package presence
