//go:build !windows

package instance_test

import (
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/instance"
)

func TestNoImage(t *testing.T) {
	_, err := instance.InImage()
	wantErr(t, err, partywall.ErrNotSupported)
}
