//go:build partywall_weak

package call

// Of the checks of memory that is lent.
func init() { biting = append(biting, "lend-section-of-a-file", "lend-reserved", "lend-larger") }
