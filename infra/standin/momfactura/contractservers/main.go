// Command contractservers runs the two webhook servers of Mom Factura's own
// integration document, Express and Flask, word for word but for the port,
// and posts to them what an app with callbackFormat "provider" is sent, and
// what the stand-in sends. It fails when a server prints another line than
// the document promises. It needs Node with npm and Python with venv, fetches
// express and flask, and is run by hand.
package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momfactura"
)

//go:embed testdata/express.js testdata/server.py
var programs embed.FS

// The versions fetched. The document names none.
const (
	express = "express@5"
	flask   = "flask>=3,<4"
)

// path is the document's own.
const path = "/webhook/meu-webhook"

// patience bounds the wait for one line, and for a server to listen.
const patience = 20 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "contractservers:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "contractservers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, start := range []func(string) (*server, error){startExpress, startFlask} {
		s, err := start(dir)
		if err != nil {
			return err
		}
		err = try(s)
		s.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// server is one of the two, running.
type server struct {
	name  string
	url   string
	cmd   *exec.Cmd
	lines chan string
}

func startExpress(dir string) (*server, error) {
	if err := command(dir, "npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, express); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	program, _ := programs.ReadFile("testdata/express.js")
	// The one change: where it listens.
	program = bytes.Replace(program, []byte("app.listen(3000)"), fmt.Appendf(nil, "app.listen(%s, '127.0.0.1')", port), 1)
	file := filepath.Join(dir, "express.js")
	if err := os.WriteFile(file, program, 0o600); err != nil {
		return nil, err
	}
	return start("express", port, exec.Command("node", file))
}

func startFlask(dir string) (*server, error) {
	venv := filepath.Join(dir, "venv")
	if err := command(dir, "python3", "-m", "venv", venv); err != nil {
		return nil, err
	}
	python := filepath.Join(venv, "bin", "python")
	if err := command(dir, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", flask); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	program, _ := programs.ReadFile("testdata/server.py")
	file := filepath.Join(dir, "server.py")
	if err := os.WriteFile(file, program, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(python, "-m", "flask", "--app", file, "run", "--host", "127.0.0.1", "--port", port)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	return start("flask", port, cmd)
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// start runs the server and waits until it listens.
func start(name, port string, cmd *exec.Cmd) (*server, error) {
	s := &server{name: name, url: "http://127.0.0.1:" + port + path, cmd: cmd, lines: make(chan string, 100)}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = io.Discard // flask's log of requests
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			if strings.HasPrefix(in.Text(), "Payment ") || strings.HasPrefix(in.Text(), "Invoice ") {
				s.lines <- in.Text()
			}
		}
	}()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			return s, nil
		}
	}
	s.stop()
	return nil, errors.New(name + " does not listen")
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// expect waits for the next line.
func (s *server) expect(want string) error {
	select {
	case got := <-s.lines:
		fmt.Printf("%-8s %s\n", s.name, got)
		if got != want {
			return fmt.Errorf("printed %q, want %q", got, want)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("printed nothing, want %q", want)
	}
}

// try posts every event as the adapter writes it and as the stand-in sends
// it.
func try(s *server) error {
	p, err := momfactura.New(momfactura.Config{BaseURL: "http://localhost", APIKey: "none", TestMode: true}, http.DefaultClient, time.Now)
	if err != nil {
		return err
	}
	const invoice = "https://invoice-momenu.toquemedia.net/invoices/abc123.pdf"
	pay := payment.Payment{
		Reference: "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", ExternalID: "ORDER-98765", Method: momfactura.MethodReference,
		Amount:      payment.Money{Minor: 1500050, Currency: "AOA"},
		Particulars: payment.Particulars{IDs: map[string]string{"transactionId": "abc123"}, InvoiceURL: invoice},
	}
	for _, c := range []struct {
		event payment.Event
		want  string
	}{
		{payment.EventSuccessful, "Payment confirmed: abc123"},
		{payment.EventInvoice, "Invoice ready: " + invoice},
		{payment.EventCancelled, "Payment failed: 3"},
		{payment.EventTimeout, "Payment failed: 3"},
		{payment.EventFailed, "Payment failed: 4"},
	} {
		if err := post(s.url, p.Native(pay, c.event, nil)); err != nil {
			return fmt.Errorf("%s: %w", c.event, err)
		}
		if err := s.expect(c.want); err != nil {
			return fmt.Errorf("%s: %w", c.event, err)
		}
	}
	return fromStandIn(s)
}

func post(url string, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(answer), "received") {
		return fmt.Errorf("answered %d %s", resp.StatusCode, answer)
	}
	return nil
}

// fromStandIn has the stand-in send the webhooks of each ending.
func fromStandIn(s *server) error {
	account := facturastand.New(facturastand.Options{Options: core.Options{CallbackURL: s.url}})
	defer account.Close()
	client := &http.Client{Transport: account.RoundTripper()}
	for _, status := range []string{facturastand.Paid, facturastand.Cancelled, facturastand.Expired, facturastand.Failed, facturastand.Rejected, facturastand.Errored} {
		req, err := http.NewRequest(http.MethodPost, "http://localhost/api/payment/reference", strings.NewReader(`{"paymentInfo":{"amount":100.10},"instantWithdraw":true}`))
		if err != nil {
			return err
		}
		req.Header.Set("x-api-key", facturastand.DefaultAPIKey)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		made, _ := account.Newest()
		id := made.Reference
		if err := account.SetOutcome(id, status, "", true); err != nil {
			return err
		}
		want := []string{"Payment failed: " + map[string]string{facturastand.Cancelled: "3", facturastand.Expired: "3", facturastand.Failed: "4", facturastand.Rejected: "4", facturastand.Errored: "5"}[status]}
		if status == facturastand.Paid {
			want = []string{"Payment confirmed: " + id, "Invoice ready: https://invoice-momenu.toquemedia.net/invoices/" + id + ".pdf"}
		}
		for _, line := range want {
			if err := s.expect(line); err != nil {
				return fmt.Errorf("stand-in, %s: %w", status, err)
			}
		}
	}
	return nil
}
