//go:build partywall_weak

package section

const checkWhole = false
