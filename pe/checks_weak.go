//go:build partywall_weak

package pe

const checkOrdinals = false
