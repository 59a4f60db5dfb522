//go:build !race

package section_test

// A build with the race detector is some ten times slower. It leaves out what only takes longer there, and shows
// nothing that the detector could see: what other processes do.
const raceEnabled = false
