//go:build !linux

package doctor

import "github.com/partywall/partywall/internal/proctest"

var roles proctest.Roles
