package doctor

import (
	"testing"

	"github.com/partywall/partywall/internal/proctest"
)

func TestMain(m *testing.M) { proctest.Main(m, roles) }
