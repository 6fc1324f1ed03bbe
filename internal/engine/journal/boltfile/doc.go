// Package boltfile reads files of go.etcd.io/bbolt without that library and
// without mapping them into memory: every offset is checked before it is
// followed. A damaged file is told in words, where the library, which trusts
// what it reads, would panic or be killed by the system.
//
// It serves three ends: to verify a file before the library opens it, to load
// one at the disk's speed, and to save what can be read of a damaged one.
//
// The format is that of bbolt's file version 2. Pages of a fixed size; the
// first two are metas, of which the valid one with the higher transaction
// counts; a B+tree of branch and leaf pages whose leaves hold buckets, each a
// tree of its own or, if small, a page inside the value; and one list of free
// pages. Numbers stand in the byte order of the machine.
package boltfile
