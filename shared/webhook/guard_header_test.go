package webhook_test

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"momoproxy/shared/webhook"
)

// The names of the headers arrive as the documents spell them: some receivers
// keep the case that HTTP/1.1 carries.
func TestHeaderNamesOnTheWire(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan []string, 1)
	go func() {
		defer close(lines)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var got []string
		for scan := bufio.NewScanner(conn); scan.Scan() && scan.Text() != ""; {
			name, _, _ := strings.Cut(scan.Text(), ":")
			got = append(got, name)
		}
		lines <- got
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	}()
	header := http.Header{}
	want := []string{
		"webhook-id", "webhook-timestamp", "webhook-signature",
		"X-MoMo-Proxy-Signature", "X-MoMo-Proxy-Reference", "X-MoMo-Proxy-Sequence", "Content-Type", "User-Agent",
	}
	for _, name := range want {
		header.Set(name, "v")
	}
	client := webhook.NewClient(webhook.Options{Rules: local})
	defer client.CloseIdle()
	if r := client.Post(t.Context(), "http://"+listener.Addr().String()+"/cb", header, []byte(`{}`)); r.Err != nil || r.Code != 200 {
		t.Fatalf("%+v", r)
	}
	got := <-lines
	for _, name := range want {
		if n := len(slices.DeleteFunc(slices.Clone(got), func(line string) bool { return !strings.EqualFold(line, name) })); n != 1 || !slices.Contains(got, name) {
			t.Errorf("%s is sent %d times, in %q", name, n, got)
		}
	}
}
