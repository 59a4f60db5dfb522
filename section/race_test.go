//go:build race

package section_test

const raceEnabled = true
