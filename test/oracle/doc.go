// Package oracle holds the program to its word: a client either has every
// message of its channels once and in order, or is told precisely what it
// missed.
//
// A trial runs the whole program. Publishers number what they publish, in each
// channel 1, 2, 3 and so on; clients connect, resume, stall, read slowly,
// change transports and are cut off at random bytes, thousands of times, while
// the server may be killed and started again. Everything is written down: what
// was published when and with what answer, and what each client saw of each
// channel. When all is over a judge compares the two.
//
// What clients and publishers do follows from a seed, which every trial
// prints:
//
//	go test ./test/oracle -run TestOracle_KillAsync -oracle-seed 4711
//	go test ./test/oracle -oracle-time 5m -oracle-clients 1000
//
// When things happen does not, so that a rare fault may take several attempts
// with its seed. -oracle-program names another build of the program, such as
// one with a fault that the oracle must find.
//
// It holds nothing but tests.
package oracle
