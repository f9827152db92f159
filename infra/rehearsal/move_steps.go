package main

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

const moving = "## Move to another region or account"

// steps make a stack with payments in flight, follow the page, and go on at
// the new place.
func (m *move) steps() []step {
	var open string // the payment that is open while everything moves
	tables := [][2]string{{"momo-audit-moved", auditTable}, {"momo-moved", mainTable}, {"sleep 60", "sleep 1"}}
	show := func(profile, command string) string {
		return "build/momoctl --profile " + profile + " --stack momo-proxy " + command
	}
	return []step{
		{title: "The old place: a payment has ended, one is open, one's event waits for its app", page: deploy, heading: "## 2. Deploy", check: func(r *rehearsal) error {
			if err := r.sh("go build -o build/ ./infra/local ./infra/momoctl"); err != nil {
				return err
			}
			if err := m.start("old"); err != nil {
				return err
			}
			defer m.stop()
			ended, err := m.pay("ORDER-1", "26876123456", "")
			if err != nil {
				return err
			}
			waiting, err := m.pay("ORDER-2", "26876123456", m.app.URL)
			if err != nil {
				return err
			}
			if open, err = m.pay("ORDER-3", "26876992002", ""); err != nil {
				return err
			}
			for _, reference := range []string{ended, waiting} {
				if err := m.ends(reference); err != nil {
					return err
				}
			}
			return nil
		}},
		{title: "The old place: secrets", page: deploy, heading: "## 1. Store the secrets", blocks: []int{0}, check: func(r *rehearsal) error {
			for name, file := range map[string]string{"sealing-keys": "sealing.key", "payer-key": "payer.key"} {
				if err := r.sh("aws ssm put-parameter --overwrite --type SecureString --name /momo-proxy/" + name + ` --value "$(cat ` + m.data + "/" + file + `)"`); err != nil {
					return err
				}
			}
			return nil
		}},
		{title: "The old place: deploy", page: deploy, heading: "## 2. Deploy", blocks: []int{0},
			instead: [][2]string{{"AlarmEmail=", "RestoredMainTable=" + mainTable + " RestoredAuditTable=" + auditTable + " AlarmEmail="}}},
		{title: "Copy secrets and tables", page: deploy, heading: moving, blocks: []int{0}, instead: tables[:2]},
		{title: "Stop, copy the rest", page: deploy, heading: moving, blocks: []int{1}, instead: tables},
		{title: "Deploy at the new place", page: deploy, heading: moving, blocks: []int{2}, instead: tables[:2], check: func(r *rehearsal) error {
			checks := [][3]string{
				{"the share of the old request-to-pay", "0", share},
				{"the table that the new functions use", mainTable, "aws --profile new lambda get-function-configuration --function-name momo-proxy-status --output text --query Environment.Variables.TABLE_NAME"},
				{"the account of the new stack", "210987654321", "aws --profile new sts get-caller-identity --output text --query Account"},
			}
			for _, command := range []string{"client list --json", "payment list --json", "payment show ORDER-1 --json", "payment show ORDER-2 --json", "audit show --payment ORDER-3 --json"} {
				before, err := r.output(show("old", command), io.Discard)
				if err != nil {
					return err
				}
				checks = append(checks, [3]string{"at both places \"momoctl " + command + "\"", before, show("new", command)})
			}
			for _, name := range []string{"sealing-keys", "payer-key", "accounts/mtn"} {
				key := " ssm get-parameter --with-decryption --query Parameter.Value --output text --name /momo-proxy/" + name
				before, err := r.output("aws --profile old"+key, io.Discard)
				if err != nil {
					return err
				}
				checks = append(checks, [3]string{"at both places the parameter " + name, before, "aws --profile new" + key})
			}
			return same(r, checks)
		}},
		{title: "The new place goes on: the payment ends, the event arrives without a message of the old queue", page: deploy, heading: moving, check: func(r *rehearsal) error {
			m.up.Store(true)
			if err := m.start("new"); err != nil {
				return err
			}
			if err := m.call(http.MethodPost, m.mtn+"/_standin/payments/"+open+"/outcome", `{"outcome":"approve"}`, nil); err != nil {
				return err
			}
			if err := m.ends(open); err != nil {
				return err
			}
			fmt.Printf("  checked: %s, made at the old place, is SUCCESSFUL\n", open)
			for range 900 { // the sweeper comes each minute
				if m.taken.Load() > 0 {
					fmt.Println("  checked: the app has taken the event of ORDER-2")
					return r.sh(show("new", "audit verify"))
				}
				select {
				case <-r.ctx.Done():
					return r.ctx.Err()
				case <-time.After(200 * time.Millisecond):
				}
			}
			return fmt.Errorf("the event of ORDER-2 did not arrive")
		}},
	}
}

// same runs checks whose wanted text is long, or secret: it is not shown.
func same(r *rehearsal, checks [][3]string) error {
	for _, c := range checks {
		got, err := r.output(c[2], io.Discard)
		if err != nil {
			return fmt.Errorf("%s: %w", c[0], err)
		}
		if got != c[1] {
			return fmt.Errorf("%s: %q; want %q", c[0], tail(got), tail(c[1]))
		}
		fmt.Printf("  checked: %s\n", c[0])
	}
	return nil
}
