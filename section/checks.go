//go:build !partywall_weak

package section

// The checks that keep values whole. A build with the tag partywall_weak leaves them out, which shows
// that the hunt for mixtures finds some.
const checkWhole = true
