package enginetest

var loss []test
