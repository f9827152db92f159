package webhook_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// zone is a name server that lives in memory: what its names resolve to can
// change between two questions. It speaks DNS (RFC 1035) over a pipe, so the
// real resolver is what is tested.
type zone struct {
	mu    sync.Mutex
	addrs map[string][]netip.Addr
	codes map[string]byte
	names []string
}

func newZone() *zone { return &zone{addrs: map[string][]netip.Addr{}, codes: map[string]byte{}} }

// set makes a rooted name resolve to addrs from now on.
func (z *zone) set(name string, addrs ...netip.Addr) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs[name] = addrs
}

// fail makes questions about a rooted name end in a response code.
func (z *zone) fail(name string, code byte) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.codes[name] = code
}

func (z *zone) asked() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return append([]string(nil), z.names...)
}

func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go z.serve(server)
		return client, nil
	}}
}

// serve answers one question with DNS's framing for streams: a length first.
func (z *zone) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	question := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	answer := z.answer(question)
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
}

func (z *zone) answer(question []byte) []byte {
	var labels []string
	at := 12
	for question[at] != 0 {
		size := int(question[at])
		labels = append(labels, string(question[at+1:at+1+size]))
		at += 1 + size
	}
	kind := binary.BigEndian.Uint16(question[at+1:])
	asked := question[12 : at+5]
	name := strings.ToLower(strings.Join(labels, ".")) + "."

	z.mu.Lock()
	defer z.mu.Unlock()
	z.names = append(z.names, name)
	all, known := z.addrs[name]
	code := z.codes[name]
	if !known && code == 0 {
		code = 3 // no such name
	}
	var records []byte
	count := uint16(0)
	for _, addr := range all {
		if isA := addr.Is4(); isA && kind == 1 || !isA && kind == 28 {
			raw := addr.AsSlice()
			records = append(records, 0xc0, 12) // the name asked for
			records = binary.BigEndian.AppendUint16(records, kind)
			records = append(records, 0, 1, 0, 0, 0, 0) // IN, not to be kept
			records = binary.BigEndian.AppendUint16(records, uint16(len(raw)))
			records = append(records, raw...)
			count++
		}
	}
	out := append([]byte{question[0], question[1], 0x81, 0x80 | code, 0, 1}, 0, byte(count), 0, 0, 0, 0)
	return append(append(out, asked...), records...)
}
