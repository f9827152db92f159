package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/webhook"
)

// special is written from the IANA registries by hand, apart from the table
// the guard uses: RFC 6890 and its updates, plus what platforms add.
var special = map[string][]string{
	"this network":       {"0.0.0.0", "0.1.2.3", "0.255.255.255"},
	"private":            {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"},
	"shared (CGNAT)":     {"100.64.0.0", "100.100.100.200", "100.127.255.255"},
	"loopback":           {"127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"},
	"link local":         {"169.254.0.0", "169.254.169.253", "169.254.170.2", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::"},
	"metadata":           {"169.254.169.254", "fd00:ec2::254", "fd00:ec2::23", "168.63.129.16", "192.0.0.192", "fd20:ce::254"},
	"protocols":          {"192.0.0.0", "192.0.0.170", "192.0.0.255", "192.88.99.1", "192.52.193.1", "192.31.196.1", "192.175.48.1"},
	"documentation":      {"192.0.2.1", "198.51.100.7", "203.0.113.255", "2001:db8::1", "3fff::1", "3fff:fff:ffff::"},
	"benchmark":          {"198.18.0.0", "198.19.255.255", "2001:2::1"},
	"multicast":          {"224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ff0e::1"},
	"reserved":           {"240.0.0.0", "254.1.2.3", "255.255.255.255", "1000::1", "4000::1", "5f00::1", "8000::1", "e000::1"},
	"unspecified":        {"::"},
	"v4-compatible":      {"::10.0.0.1", "::127.0.0.1", "::8.8.8.8", "::169.254.169.254"},
	"v4-mapped, private": {"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:192.168.1.1"},
	"v4-translated":      {"::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8"},
	"NAT64":              {"64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "64:ff9b:1:ffff::7f00:1"},
	"6to4":               {"2002::", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:808:808::1"},
	"Teredo":             {"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"},
	"IETF":               {"2001:10::1", "2001:20::1", "2001:1ff:ffff::"},
	"unique local":       {"fc00::1", "fd12:3456::1", "fdff:ffff::"},
	"site local":         {"fec0::1", "feff::1"},
	"discard":            {"100::1", "100:0:0:1::1"},
	"6bone":              {"3ffe::1"},
	"zones":              {"fe80::1%eth0", "2606:4700::1%eth0"},
}

var public = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
	"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
	"198.17.255.255", "198.20.0.0", "168.63.129.15", "168.63.129.17", "223.255.255.255", "::ffff:8.8.8.8",
	"2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700:4700::1111", "2a00:1450::1", "2c0f:fb50::1",
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for kind, list := range special {
		for _, text := range list {
			if webhook.Public(netip.MustParseAddr(text)) {
				t.Errorf("%s (%s) counts as public", text, kind)
			}
		}
	}
	for _, text := range public {
		if !webhook.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
	if webhook.Public(netip.Addr{}) {
		t.Error("no address counts as public")
	}
}

// Whatever the bytes, a public address is one that netip, too, calls neither
// private nor special, and wrapping it changes nothing to the better.
func FuzzPublic(f *testing.F) {
	for _, list := range special {
		for _, text := range list {
			addr := netip.MustParseAddr(text)
			f.Add(addr.AsSlice(), addr.Zone())
		}
	}
	for _, text := range public {
		f.Add(netip.MustParseAddr(text).AsSlice(), "")
	}
	var prefixes []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"240.0.0.0/4", "168.63.129.16/32", "::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/8", "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20", "4000::/2", "8000::/1",
	} {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte, zone string) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		if addr.Is4() {
			mapped := netip.AddrFrom16(addr.As16())
			if webhook.Public(mapped) != webhook.Public(addr) {
				t.Fatalf("%s and %s differ", addr, mapped)
			}
			for _, wrap := range []string{"::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::"} {
				if wrapped := netip.MustParseAddr(wrap + addr.String()); webhook.Public(wrapped) {
					t.Fatalf("%s counts as public", wrapped)
				}
			}
		} else if zone != "" {
			addr = addr.WithZone(zone)
		}
		if !webhook.Public(addr) {
			return
		}
		bare := addr.Unmap()
		if addr.Zone() != "" || !bare.IsGlobalUnicast() || bare.IsPrivate() || bare.IsLoopback() || bare.IsMulticast() ||
			bare.IsLinkLocalUnicast() || bare.IsUnspecified() || bare.IsInterfaceLocalMulticast() || bare.IsLinkLocalMulticast() {
			t.Fatalf("%s counts as public", addr)
		}
		for _, prefix := range prefixes {
			if prefix.Contains(bare) {
				t.Fatalf("%s counts as public though in %s", addr, prefix)
			}
		}
	})
}

// errStopped tells that the guard let a connection through; it goes no further.
var errStopped = errors.New("approved, and stopped by the test")

// approvals records which addresses the guard let through.
type approvals struct {
	mu    sync.Mutex
	addrs []string
}

func (a *approvals) stop(addr netip.AddrPort) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addrs = append(a.addrs, addr.String())
	return errStopped
}

func TestEverySpecialAddressIsRefusedAtConnect(t *testing.T) {
	t.Parallel()
	for _, allowLoopback := range []bool{false, true} {
		zone := newZone()
		var seen approvals
		client := webhook.NewStoppedClient(webhook.Options{
			Resolver: zone.resolver(), Rules: webhook.Rules{AllowLoopback: allowLoopback},
		}, seen.stop)
		for kind, list := range special {
			for _, text := range list {
				addr := netip.MustParseAddr(text)
				if addr.Zone() != "" || allowLoopback && addr.Unmap().IsLoopback() {
					continue
				}
				zone.set("hook.example.com.", addr)
				result := client.Post(context.Background(), "https://hook.example.com/cb", nil, nil)
				if result.Class != webhook.ClassRefused || !errors.Is(result.Err, webhook.ErrRefusedAddress) {
					t.Errorf("%s (%s): class %q, %v", text, kind, result.Class, result.Err)
				}
			}
		}
		if len(seen.addrs) > 0 {
			t.Errorf("connections let through: %v", seen.addrs)
		}
	}
}

func TestPublicAddressesAndPortsAreLetThrough(t *testing.T) {
	t.Parallel()
	zone := newZone()
	var seen approvals
	client := webhook.NewStoppedClient(webhook.Options{
		Resolver: zone.resolver(), Rules: webhook.Rules{Ports: []uint16{8443}},
	}, seen.stop)
	zone.set("hook.example.com.", netip.MustParseAddr("1.1.1.1"))
	zone.set("six.example.com.", netip.MustParseAddr("2606:4700:4700::1111"))
	for _, target := range []string{
		"https://hook.example.com/", "https://hook.example.com:8443/", "https://six.example.com/",
		"https://8.8.8.8/", "https://[2001:4860:4860::8888]/", "https://[::ffff:9.9.9.9]/",
	} {
		if result := client.Post(context.Background(), target, nil, nil); !errors.Is(result.Err, errStopped) {
			t.Errorf("%s: class %q, %v", target, result.Class, result.Err)
		}
	}
	want := []string{"1.1.1.1:443", "1.1.1.1:8443", "[2606:4700:4700::1111]:443", "8.8.8.8:443", "[2001:4860:4860::8888]:443", "9.9.9.9:443"}
	if diff := cmp.Diff(want, seen.addrs); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

// The client checks the URL first; the guard does not rely on it.
func TestTheGuardAloneJudgesPortsAndNetworks(t *testing.T) {
	t.Parallel()
	rules := webhook.Rules{Ports: []uint16{8443}, AllowLoopback: true}
	for _, tc := range []struct {
		network, address string
		ok               bool
	}{
		{"tcp4", "1.1.1.1:443", true},
		{"tcp4", "1.1.1.1:8443", true},
		{"tcp6", "[2606:4700::1]:443", true},
		{"tcp4", "127.0.0.1:22", true},
		{"tcp4", "1.1.1.1:80", false},
		{"tcp4", "1.1.1.1:22", false},
		{"tcp4", "1.1.1.1:0", false},
		{"udp4", "1.1.1.1:443", false},
		{"unix", "/run/docker.sock", false},
		{"tcp4", "hook.example.com:443", false},
		{"tcp4", "", false},
	} {
		if err := webhook.GuardControl(rules, tc.network, tc.address); errors.Is(err, webhook.ErrRefusedAddress) == tc.ok || (err == nil) != tc.ok {
			t.Errorf("%s %s: %v", tc.network, tc.address, err)
		}
	}
}

// The name is public when the URL is checked and at the first call, and leads
// inside at the second.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	zone := newZone()
	var seen approvals
	client := webhook.NewStoppedClient(webhook.Options{Resolver: zone.resolver()}, seen.stop)
	const target = "https://rebind.example.com/cb"
	if err := webhook.CheckURL(target, webhook.Rules{}); err != nil {
		t.Fatal(err)
	}
	zone.set("rebind.example.com.", netip.MustParseAddr("1.1.1.1"))
	if result := client.Post(context.Background(), target, nil, nil); !errors.Is(result.Err, errStopped) {
		t.Fatalf("the public address: class %q, %v", result.Class, result.Err)
	}
	zone.set("rebind.example.com.", netip.MustParseAddr("169.254.169.254"))
	if result := client.Post(context.Background(), target, nil, nil); result.Class != webhook.ClassRefused {
		t.Fatalf("after rebinding: class %q, %v", result.Class, result.Err)
	}
	// Both at once: only the public one is ever tried.
	zone.set("rebind.example.com.", netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("fd00::1"))
	client.Post(context.Background(), target, nil, nil)
	if diff := cmp.Diff([]string{"1.1.1.1:443", "1.1.1.1:443"}, seen.addrs); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

func TestNamesOfThisMachineReachNothingElse(t *testing.T) {
	t.Parallel()
	zone := newZone()
	zone.set("app.localhost.", netip.MustParseAddr("1.1.1.1"))
	var seen approvals
	client := webhook.NewStoppedClient(webhook.Options{
		Resolver: zone.resolver(), Rules: webhook.Rules{AllowLoopback: true},
	}, seen.stop)
	for _, target := range []string{"http://app.localhost:443/", "https://app.localhost/"} {
		if result := client.Post(context.Background(), target, nil, nil); result.Class != webhook.ClassRefused {
			t.Errorf("%s: class %q, %v", target, result.Class, result.Err)
		}
	}
	if len(seen.addrs) > 0 {
		t.Errorf("connections let through: %v", seen.addrs)
	}
}

func TestNamesAreResolvedAsRooted(t *testing.T) {
	t.Parallel()
	zone := newZone()
	client := webhook.NewClient(webhook.Options{Resolver: zone.resolver()})
	result := client.Post(context.Background(), "https://nowhere.example.com/", nil, nil)
	if result.Class != webhook.ClassDNS {
		t.Errorf("class %q, %v", result.Class, result.Err)
	}
	for _, name := range zone.asked() {
		if name != "nowhere.example.com." {
			t.Errorf("asked for %s", name)
		}
	}
	// Where the machine has no search domain, only the dot tells.
	var dns *net.DNSError
	if !errors.As(result.Err, &dns) || !strings.HasSuffix(dns.Name, ".") {
		t.Errorf("the name was not rooted: %v", result.Err)
	}
}

func TestDNSFaults(t *testing.T) {
	t.Parallel()
	broken := newZone()
	broken.fail("broken.example.com.", 2) // SERVFAIL
	unreachable := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route to the resolver")
	}}
	for _, tc := range []struct {
		name     string
		resolver *net.Resolver
		want     webhook.Class
	}{
		{"the servers of the domain fail", broken.resolver(), webhook.ClassDNSOurs},
		{"our resolver is away", unreachable, webhook.ClassDNSOurs},
		{"there is no such name", newZone().resolver(), webhook.ClassDNS},
	} {
		client := webhook.NewClient(webhook.Options{Resolver: tc.resolver})
		result := client.Post(context.Background(), "https://broken.example.com/", nil, nil)
		if result.Class != tc.want {
			t.Errorf("%s: class %q, want %q (%v)", tc.name, result.Class, tc.want, result.Err)
		}
		if strings.Contains(result.Excerpt, "example") {
			t.Errorf("%s: excerpt %q", tc.name, result.Excerpt)
		}
	}
}
