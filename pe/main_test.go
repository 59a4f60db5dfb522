package pe

import (
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

// roles are what the test binary can be as another process. Files of one system add
// theirs.
var roles = proctest.Roles{}

func TestMain(m *testing.M) { proctest.Main(m, roles) }
