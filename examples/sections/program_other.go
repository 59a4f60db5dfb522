//go:build !windows

package sections

import (
	"context"
	"fmt"
	"runtime"

	"github.com/partywall/partywall"
)

func (p *program) main(context.Context, mainOptions) error { return p.notHere() }

func (p *program) sub(context.Context, Child) error { return p.notHere() }

func (p *program) notHere() error {
	return fmt.Errorf("%w: it is a program for Windows, and this is %s, where partywall demo sections does the same", partywall.ErrNotSupported, runtime.GOOS)
}
