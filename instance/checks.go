//go:build !partywall_weak

package instance

// confirmTaken: a launch is confirmed when a loop has it. A build with the tag partywall_weak confirms
// at once, which shows that the hunt for launches that are lost finds some.
const confirmTaken = true
