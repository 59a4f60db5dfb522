package wait

// LoadFence keeps loads before it from being done after loads behind it. Package sync/atomic orders
// atomic operations only: where the bytes of a value are copied between two loads of the word
// that guards them, the copy has to be done before the second load. On amd64 the processor keeps the order of
// loads (Intel SDM, volume 3, 8.2.2), and there is nothing to do.
func LoadFence() {}
