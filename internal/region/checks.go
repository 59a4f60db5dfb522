//go:build !partywall_weak

package region

// The checks of a peer's memory. A build with the tag partywall_weak leaves them
// out, which shows that the attacks of the hostile-peer tests bite.
const (
	checkKind   = true
	checkSeals  = true
	checkLength = true
)
