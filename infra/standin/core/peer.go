package core

import (
	"net"
	"net/http"
	"strings"
)

// fromThisMachine says whether a request to a stand-in's control API is a
// person's or a program's here: not another machine's, and not that of a page
// in a browser on this one. Those send Origin, or come under a name that was
// made to point here.
func fromThisMachine(r *http.Request) bool {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopback(peer) || r.Header.Get("Origin") != "" {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return loopback(strings.Trim(host, "[]"))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
