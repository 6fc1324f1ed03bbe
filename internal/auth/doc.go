// Package auth says who may call the server's HTTP interface and what a
// client may do.
//
// Programs show an API key as "Authorization: Bearer KEY" (RFC 6750, section
// 2.1). The package keeps only SHA-256 sums of the keys it knows, so neither
// a log line nor a dump of it shows one, and compares in a time that depends
// neither on which key was shown nor on how much of it is right. See [Keys].
//
// Clients show a token: a JWT (RFC 7519) signed by whoever knows the users. A
// [Verifier] turns one into a [Grant], or says in words why not. Each key
// verifies one algorithm, whatever the token's header says; nothing in a
// token names where a key comes from. [Revocations] remembers which tokens
// no longer count before they end. [FromRequest] finds the token in a
// request, and [CreateToken] makes one.
package auth
