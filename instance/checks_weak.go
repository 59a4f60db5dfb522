//go:build partywall_weak

package instance

const confirmTaken = false
