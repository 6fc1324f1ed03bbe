//go:build linux && !race

package oracle

const raceBuild = false
