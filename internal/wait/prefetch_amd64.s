#include "textflag.h"

// func FetchToRead(word *atomic.Uint32)
TEXT ·FetchToRead(SB), NOSPLIT, $0-8
	MOVQ       word+0(FP), AX
	PREFETCHT0 (AX)
	RET

// func FetchPairToRead(word *atomic.Uint32)
TEXT ·FetchPairToRead(SB), NOSPLIT, $0-8
	MOVQ       word+0(FP), AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	RET

// PREFETCHW is a hint that processors without it ignore: all that Windows 8.1 and later run on have it.
//
// func FetchToWrite(word *atomic.Uint32)
TEXT ·FetchToWrite(SB), NOSPLIT, $0-8
	MOVQ word+0(FP), AX
	BYTE $0x0F; BYTE $0x0D; BYTE $0x08 // PREFETCHW (AX)
	RET
