package payment_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"regexp"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"momoproxy/shared/payment"
)

var uuidV4 = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z`)

// checkV4 asks an implementation of RFC 9562 not written here.
func checkV4(t *testing.T, ref string) {
	t.Helper()
	u, err := uuid.Parse(ref)
	if err != nil || u.Version() != 4 || u.Variant() != uuid.RFC4122 || u.String() != ref || !uuidV4.MatchString(ref) {
		t.Errorf("%q is no lower-case UUID v4: %v", ref, err)
	}
	if !payment.IsReference(ref) {
		t.Errorf("IsReference(%q) = false", ref)
	}
}

func TestNewReference(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		random []byte
		want   string
	}{
		{[]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "00010203-0405-4607-8809-0a0b0c0d0e0f"},
		{bytes.Repeat([]byte{0xff}, 16), "ffffffff-ffff-4fff-bfff-ffffffffffff"},
		{make([]byte, 16), "00000000-0000-4000-8000-000000000000"},
	} {
		// A reader that gives one byte at a time must not shorten it.
		got := payment.NewReference(iotest.OneByteReader(bytes.NewReader(tc.random)))
		if got != tc.want {
			t.Errorf("NewReference(% x) = %q, want %q", tc.random, got, tc.want)
		}
		checkV4(t, got)
	}
	seen := map[string]bool{}
	for range 1000 {
		ref := payment.NewReference(rand.Reader)
		checkV4(t, ref)
		if seen[ref] {
			t.Fatalf("%q came twice", ref)
		}
		seen[ref] = true
	}
}

func TestNewReferenceWithoutRandomness(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("made a reference without randomness")
		}
	}()
	payment.NewReference(iotest.ErrReader(errors.New("empty")))
}

// The values never change: another derivation would charge a repeated
// request a second time across an upgrade. They were computed apart from this
// code, as SHA-256 of "momoproxy reference", client and key joined by NUL.
func TestReferenceForIsStable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ client, key, want string }{
		{"client-1", "order-1", "2f3373f3-5d70-43bc-9417-793dc1eb89c2"},
		{"client-2", "order-1", "2a8d16d2-6873-48f1-8ddf-84a2bae83442"},
		{"client-1", "order-2", "5153605c-8725-4df8-8884-8da15f9e7bf3"},
		{"client-1", "", "d87d7308-13ca-453e-a086-a5c52c6e3a9a"},
		{"klient", "schlüssel", "640973bb-d221-4867-964a-1147d877de5b"},
	} {
		got := payment.ReferenceFor(tc.client, tc.key)
		if got != tc.want {
			t.Errorf("ReferenceFor(%q, %q) = %q, want %q", tc.client, tc.key, got, tc.want)
		}
		checkV4(t, got)
	}
	if payment.ReferenceFor("ab", "c") == payment.ReferenceFor("a", "bc") {
		t.Error("client and key run into each other")
	}
}

func TestEventIDIsStable(t *testing.T) {
	t.Parallel()
	const ref = "7d0f2a52-6f6e-4c39-9d0e-1a2b3c4d5e6f"
	for sequence, want := range map[int]string{
		1: "evt_a19998d3289e485ed463a2ac852a",
		2: "evt_1a4639c21f532cc0d3b816037a90",
	} {
		if got := payment.EventID(ref, sequence); got != want {
			t.Errorf("EventID(ref, %d) = %q, want %q", sequence, got, want)
		}
	}
}

func TestIsReference(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"2f3373f3-5d70-43bc-9417-793dc1eb89c2":   true,
		"2F3373F3-5D70-43BC-9417-793DC1EB89C2":   true,
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8":   true, // version 1
		"01234567-89ab-cdef-ABCD-EF0123456789":   true,
		"":                                       false,
		"2f3373f35d7043bc9417793dc1eb89c2":       false,
		"{2f3373f3-5d70-43bc-9417-793dc1eb89c2}": false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89c":    false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89c21":  false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89cg":   false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89c-":   false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89--":   false,
		"2f3373f35-d70-43bc-9417-793dc1eb89c2":   false,
		"2f3373f3-5d704-3bc-9417-793dc1eb89c2":   false,
		"2f3373f3-5d70-43bc9-417-793dc1eb89c2":   false,
		"2f3373f3-5d70-43bc-94177-93dc1eb89c2":   false,
		"2f3373f3-5d70-43bc-9417-793dc1eb89c\n":  false,
		"2f3373f3-5d70-43bc-9417-793dc1eb8٣":     false,
		"../../../../../../../../../etc/passwd":  false,
	} {
		if got := payment.IsReference(in); got != want {
			t.Errorf("IsReference(%q) = %v, want %v", in, got, want)
		}
	}
}
