package wait

// LoadFence keeps loads before it from being done after loads behind it: DMB ISHLD.
//
//go:noescape
func LoadFence()
