package call

import (
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

// roles are what this test binary can be as another process.
var roles = proctest.Roles{}

// RegisterRole adds a role, from an init function of either test package.
func RegisterRole(name string, f func([]string) error) { roles[name] = f }

func TestMain(m *testing.M) { proctest.Main(m, roles) }
