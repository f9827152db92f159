// Package loopback serves on this machine alone.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// Serve answers at an address of this machine, port 0 being a free one, until
// it is stopped.
func Serve(h http.Handler, listen string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // until it is closed
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}

// FreeAddress is an address at which nobody listens, below the ports that
// outgoing connections get, so that it stays free between two starts. Another
// server may still take it first.
func FreeAddress() (string, error) {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("no free port: %w", err)
}
