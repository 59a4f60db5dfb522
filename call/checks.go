//go:build !partywall_weak

package call

// The checks of what a peer publishes. A build with the tag partywall_weak leaves
// them out, which shows that the attacks of the hostile-peer tests bite.
const (
	checkLengths = true
	checkNumbers = true
	checkFields  = true
)
