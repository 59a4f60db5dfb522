package call

import "github.com/partywall/partywall"

// strangeFrames are frames that only a socket carries: those of no bytes.
var strangeFrames = []clientLie{
	// It reads like the end of file, and is taken for it.
	{name: "frame-of-nothing", cause: errNone, lie: rawly([]byte{})},
}

// strangeReplies are the same from a server.
var strangeReplies = []serverLie{
	{name: "descriptor-with-nothing", do: untilEnd, want: partywall.ErrPeerGone, lie: amidstFiles(nil, notMemory)},
	{name: "frame-of-nothing", do: untilEnd, want: partywall.ErrPeerGone, lie: amidst([]byte{})},
}
