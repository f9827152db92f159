//go:build !unix

package providertest

import (
	"net"
	"testing"
)

// Refuse closes a listener. Its port may become another process's.
func Refuse(t testing.TB, l net.Listener) {
	t.Helper()
	l.Close()
}
