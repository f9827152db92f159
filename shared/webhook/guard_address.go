package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrRefusedAddress is the identity of a connection the guard did not allow.
var ErrRefusedAddress = errors.New("address refused")

// registry knows IANA's special-purpose tables: for IPv4 every special block,
// for IPv6 everything outside 2000::/3 and the special blocks within it. That
// takes in what carries an IPv4 address inside an IPv6 one: v4-compatible
// ::/96, NAT64 64:ff9b::/96 and 64:ff9b:1::/48, Teredo and 6to4. A public
// IPv4 address reached through them is refused as well, because the gateway
// that unwraps it, not this process, decides where it leads.
var registry = ssrf.New(ssrf.WithAnyNetwork(), ssrf.WithAnyPort())

// platform lists addresses that look public and lead into the machine's own
// platform. They are in no IANA table.
var platform = []netip.Prefix{
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host agent: metadata, DNS, DHCP
	netip.MustParsePrefix("3ffe::/16"),        // 6bone, returned to IANA (RFC 3701); only ever routed privately
}

// Public says whether a is an address that anybody on the internet would
// reach as the same host: not private, loopback, link-local (cloud metadata
// included), shared, multicast, reserved, for documentation or benchmarks,
// and not an IPv4 address wrapped in an IPv6 one. A v4-mapped address
// (::ffff:a.b.c.d) is judged as the IPv4 address that the kernel would dial.
// An address with a zone is never public.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	// The standard library's own view first: it must never take two mistakes
	// in one table to let a private address through.
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, prefix := range platform {
		if prefix.Contains(a) {
			return false
		}
	}
	return registry.SafeAddr(a) == nil
}

// guard decides about a connection when its address is known and before the
// first packet leaves: after DNS, so that a name that resolves differently
// now than it did when it was checked gains nothing.
type guard struct {
	rules Rules
	// loopbackOnly is set for names that can only mean this machine, to which
	// plain http may go.
	loopbackOnly bool
	// approved, when set, is asked last. Tests use it to stop a connection
	// that the guard allowed from leaving the machine.
	approved func(addr netip.AddrPort) error
}

// control is a net.Dialer's Control. Every error wraps ErrRefusedAddress,
// save those of approved.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: network %s", ErrRefusedAddress, network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is not an address and port", ErrRefusedAddress, address)
	}
	addr := target.Addr().Unmap()
	switch {
	case g.rules.AllowLoopback && addr.Zone() == "" && addr.IsLoopback():
		// Any port: local servers choose their own.
	case g.loopbackOnly:
		return fmt.Errorf("%w: %s is not this machine", ErrRefusedAddress, addr)
	case !Public(addr):
		return fmt.Errorf("%w: %s is not public", ErrRefusedAddress, addr)
	case !g.rules.allowsPort(target.Port()):
		return fmt.Errorf("%w: port %d", ErrRefusedAddress, target.Port())
	}
	if g.approved != nil {
		return g.approved(target)
	}
	return nil
}
