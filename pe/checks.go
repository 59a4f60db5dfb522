//go:build !partywall_weak

package pe

// A check of what a file says. A build with the tag partywall_weak leaves it out, which
// shows that the fuzz corpus finds what is missing.
const checkOrdinals = true
