//go:build !386 && !arm

package procmem_test

import (
	"bytes"
	"fmt"
	"log"
	"os/exec"
	"strings"

	"github.com/partywall/partywall/procmem"
)

// Reading the first bytes of another program, which is an ELF file.
func ExampleOpen() {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	defer child.Wait()
	defer in.Close()

	p, err := procmem.Open(child.Process.Pid)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	regions, err := p.Regions()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range regions {
		if !r.Read || !strings.HasPrefix(r.Path, "/") {
			continue
		}
		magic, err := procmem.Load[[4]uint8](p, int64(r.Address))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(bytes.Equal(magic[:], []byte("\x7fELF")))
		break
	}
	// Output: true
}
