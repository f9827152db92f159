package simulation_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// Worlds are small and many: collecting less often makes runs a third faster.
func TestMain(m *testing.M) {
	debug.SetGCPercent(2400)
	os.Exit(m.Run())
}
