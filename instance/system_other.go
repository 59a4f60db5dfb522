//go:build !windows

package instance

// passForeground has nothing to pass on: a Linux desktop hands the right to be in front over by a
// variable, see [Env].
func passForeground(int) {}
