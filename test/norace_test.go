//go:build linux && !race

package test

const raceBuild = false
