package call

// What the layout relies on, checked by the compiler: a constant that is negative
// does not fit into a uint. Sizes and offsets within structs are checked by
// layout_test.go.
const (
	apart = 128 // two cache lines

	_ = uint(clientBellOffset - 24 - (apart - 24)) // the header is out of the doorbells' way
	_ = uint(serverBellOffset - clientBellOffset - apart)
	_ = uint(pendingOffset - serverBellOffset - apart)
	_ = uint(slotsOffset - (pendingOffset + maxSlots/8) - apart)
	_ = uint(-(pendingOffset % 8))              // 64-bit words, aligned
	_ = uint(-(slotsOffset % apart))            // slots do not share lines with words
	_ = uint(-(maxSlots % 64))                  // whole words of pending bits
	_ = uint(-(minRoom % 64))                   // rooms are multiples of 64
	_ = uint(-(maxRoom % 64))                   //
	_ = uint(maxRoom - minRoom)                 //
	_ = uint(-((partHeader + minRoom) % apart)) // the smallest slot wastes nothing
	_ = uint(-(roundBody % minBody))            // so that a multiple of roundBody is one of minBody
	_ = uint(1<<32 - 1 - maxRoom)               // lengths are 32-bit
)
