//go:build unix

package providertest

import (
	"net"
	"syscall"
	"testing"
)

// Refuse closes a listener and holds its port, so that connections to it are
// refused until the test ends. A port that is only closed may be another
// process's a moment later.
func Refuse(t testing.TB, l net.Listener) {
	t.Helper()
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	// Connections that were open may hold the port for a minute.
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: at.Port, Addr: [4]byte(at.IP.To4())}); err != nil {
		t.Fatal(err)
	}
}
