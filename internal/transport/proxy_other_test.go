//go:build !linux

package transport

const plainCarrier = "stream"
