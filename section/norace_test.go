//go:build !race

package section_test

const raceEnabled = false
