package call

import "time"

// SetStartTimeout shortens how long Dial waits for a server that is being started, if
// its context has no deadline, and returns what puts it back.
func SetStartTimeout(d time.Duration) (restore func()) {
	before := startTimeout
	startTimeout = d
	return func() { startTimeout = before }
}

// SetHandshakeTimeout shortens how long a peer may take in the handshake, and returns
// what puts it back.
func SetHandshakeTimeout(d time.Duration) (restore func()) {
	before := handshakeTimeout
	handshakeTimeout = d
	return func() { handshakeTimeout = before }
}

// LastWords is what an error quotes of a server's output.
var LastWords = lastWords
