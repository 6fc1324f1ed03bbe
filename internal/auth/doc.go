// Package auth says who may call the server's HTTP interface.
//
// Programs show an API key as "Authorization: Bearer KEY" (RFC 6750, section
// 2.1). The package keeps only SHA-256 sums of the keys it knows, so neither
// a log line nor a dump of it shows one, and compares in a time that depends
// neither on which key was shown nor on how much of it is right.
package auth
