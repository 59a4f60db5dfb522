#include "textflag.h"

// func FetchToRead(word *atomic.Uint32)
TEXT ·FetchToRead(SB), NOSPLIT, $0-8
	MOVD word+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET

// func FetchPairToRead(word *atomic.Uint32)
TEXT ·FetchPairToRead(SB), NOSPLIT, $0-8
	MOVD word+0(FP), R0
	PRFM (R0), PLDL1KEEP
	PRFM 64(R0), PLDL1KEEP
	RET

// func FetchToWrite(word *atomic.Uint32)
TEXT ·FetchToWrite(SB), NOSPLIT, $0-8
	MOVD word+0(FP), R0
	PRFM (R0), PSTL1KEEP
	RET
