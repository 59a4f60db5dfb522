package rendezvous

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/peer"
	"github.com/partywall/partywall/internal/region"
)

// A client that has given up has closed the pipe, and then its handles, whose numbers can be those of its next try by
// now. The server leaves such objects as they are.
func TestJoinOfOneWhoHasLeft(t *testing.T) {
	access, err := Private(PrivatePipe)
	if err != nil {
		t.Fatal(err)
	}
	name := newPipeName()
	near, err := makePipe(name, true, access)
	if err != nil {
		t.Fatal(err)
	}
	far, err := openPipe(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := near.accept(); err != nil {
		t.Fatal(err)
	}
	memory, err := region.Create("link", linkSize, region.Filled)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	j := join{memory: uint64(memory.File().Fd())}
	for _, event := range []*uint64{&j.clientEvent, &j.serverEvent} {
		h, err := windows.CreateEvent(nil, 0, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer windows.CloseHandle(h)
		*event = uint64(h)
	}
	if err := far.write(j.encode()); err != nil {
		t.Fatal(err)
	}
	far.close()
	client, err := peer.OfProcess(uint32(os.Getpid()), peer.Take)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := joinServer(near, client, nil); !errors.Is(err, io.EOF) {
		t.Errorf("%v, %v", l, err)
	}
	if n := newLinkMemory(memory.Bytes(), true).theirs.closed.Load(); n != 0 {
		t.Error("the server has closed a link that is another's")
	}
}
