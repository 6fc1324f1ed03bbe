//go:build linux && race

package oracle

// raceBuild says that the program is built with the race detector too.
const raceBuild = true
