//go:build linux && race

package test

// raceBuild says that the program is built with the race detector too.
const raceBuild = true
