package transport

const plainCarrier = "loop"
