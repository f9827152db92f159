package mtn

import (
	"net/http"

	"momoproxy/shared/provider/wire"
)

// NewHTTPClient makes the client for MTN alone; see wire.NewHTTPClient. Make
// one per process: it holds the connections.
func NewHTTPClient() *http.Client { return wire.NewHTTPClient() }
