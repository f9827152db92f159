package webhook

import "net/netip"

// NewStoppedClient is a Client whose connections, once the guard has approved
// them, still ask approved: tests use public addresses without reaching them.
func NewStoppedClient(o Options, approved func(netip.AddrPort) error) *Client {
	return newClient(o, approved)
}

var Clean = clean

func GuardControl(rules Rules, network, address string) error {
	return guard{rules: rules}.control(network, address, nil)
}
