package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	deploy  = "docs/deploy.md"
	operate = "docs/operate.md"

	notRehearsed = "functions at work, alarms and dashboard, termination protection, DNS and certificate, the mails of the alarm topics, CloudFormation's rules and its own rollback, " +
		"how long a restore and a copy take; only a real account shows them"
)

// step is one or more blocks of a page, each run in a shell of its own, and
// what must be so afterwards.
type step struct {
	title         string
	page, heading string
	blocks        []int
	instead       [][2]string // texts of the block that a rehearsal has to say otherwise
	check         func(*rehearsal) error
}

func (s step) from() string { return s.page + ", " + strings.TrimLeft(s.heading, "# ") }

func (s step) run(r *rehearsal) error {
	for _, n := range s.blocks {
		text, err := block(s.page, s.heading, "sh", n)
		if err != nil {
			return err
		}
		for _, pair := range s.instead {
			if !strings.Contains(text, pair[0]) {
				return fmt.Errorf("the page no longer says %q", pair[0])
			}
			text = strings.ReplaceAll(text, pair[0], pair[1])
		}
		if err := r.sh(text); err != nil {
			return err
		}
	}
	if s.check == nil {
		return nil
	}
	return s.check(r)
}

// describe is a query over the stack.
func describe(query string) string {
	return "aws cloudformation describe-stacks --stack-name momo-proxy --output text --query '" + query + "'"
}

func parameter(name string) string {
	return describe(`Stacks[0].Parameters[?ParameterKey==` + "`" + name + "`" + `].ParameterValue`)
}

func output(name string) string {
	return describe(`Stacks[0].Outputs[?OutputKey==` + "`" + name + "`" + `].OutputValue`)
}

// functions is how many there are: one for each folder.
func functions() string {
	mains, _ := filepath.Glob("functions/*/main.go") // the pattern is right
	return strconv.Itoa(len(mains))
}

const share = "aws lambda get-function-concurrency --function-name momo-proxy-request-to-pay --output text --query ReservedConcurrentExecutions"

// all runs checks one after the other.
func all(checks ...[3]string) func(*rehearsal) error {
	return func(r *rehearsal) error {
		for _, c := range checks {
			if err := r.holds(c[0], c[1], c[2]); err != nil {
				return err
			}
		}
		return nil
	}
}

var steps = []step{
	{title: "Store the secrets", page: deploy, heading: "## 1. Store the secrets", blocks: []int{0}, check: all(
		[3]string{"the number of parameters", "5", "aws ssm describe-parameters --output text --query 'length(Parameters)'"})},
	{title: "Deploy", page: deploy, heading: "## 2. Deploy", blocks: []int{0}, check: all(
		[3]string{"the stack", "CREATE_COMPLETE", describe("Stacks[0].StackStatus")},
		[3]string{"the number of functions", functions(), "aws lambda list-functions --output text --query 'length(Functions)'"},
		[3]string{"the mail subscriptions", "2", "aws sns list-subscriptions --output text --query 'length(Subscriptions[?Endpoint==`oncall@example.com`])'"})},
	{title: "Set up momoctl", page: operate, heading: "## Set up momoctl", blocks: []int{0}},
	{title: "Make a client", page: deploy, heading: "## 4. Make a client for each app", blocks: []int{0}},
	{title: "Stop", check: func(r *rehearsal) error {
		if err := r.sh("build/momoctl --stack momo-proxy stop"); err != nil {
			return err
		}
		if err := r.holds("the share of request-to-pay", "0", share); err != nil {
			return err
		}
		if err := r.sh("build/momoctl --stack momo-proxy status | head -3"); err != nil {
			return err
		}
		return r.sh("build/momoctl --stack momo-proxy start")
	}, page: operate, heading: "## Stop new payments"},
	{title: "Rotate the sealing key", page: operate, heading: "### Rotate the sealing key", blocks: []int{0}, check: func(r *rehearsal) error {
		const key = "aws ssm get-parameter --with-decryption --name /momo-proxy/sealing-keys --query Parameter.Value --output text"
		for _, command := range []string{
			`make deploy VERSION="$(git describe --always)-rotated"`,
			"build/momoctl --stack momo-proxy client reseal",
			`NEW=$(` + key + ` | cut -d, -f1)` + "\n" + `aws ssm put-parameter --overwrite --type SecureString --name /momo-proxy/sealing-keys --value "$NEW"`,
			"build/momoctl --stack momo-proxy client reseal",
		} {
			if err := r.sh(command); err != nil {
				return err
			}
		}
		return nil
	}},
	{title: "Deploy the next release", page: deploy, heading: "## Upgrade", check: func(r *rehearsal) error {
		if err := r.sh(`git tag --annotate --message v0.1.0 v0.1.0
sed -i 's/^Description: .*/& The next release./' template.yaml
git commit --quiet --all --message "the next release"
git tag --annotate --message v0.2.0 v0.2.0
make deploy ENVIRONMENT=prod PARAMETERS="ThrottlingRate=70"`); err != nil {
			return err
		}
		return all([3]string{"the version", "v0.2.0", parameter("Version")}, [3]string{"ThrottlingRate", "70", parameter("ThrottlingRate")},
			[3]string{"PublicBaseUrl", "https://momopay.example.com", parameter("PublicBaseUrl")})(r)
	}},
	{title: "Deploy in a workflow, where nobody answers", page: deploy, heading: "## Staging and production", check: func(r *rehearsal) error {
		text, err := block(deploy, "## Staging and production", "yaml", 0)
		if err != nil {
			return err
		}
		r.types = ""
		defer func() { r.types = yes }()
		_, command, ok := strings.Cut(text, "- run: ")
		if !ok {
			return errors.New("the workflow runs nothing")
		}
		return r.sh(strings.TrimSpace(command))
	}},
	{title: "Roll back to the tag before", page: deploy, heading: "## Roll back", blocks: []int{0}, check: all(
		[3]string{"the version", "v0.1.0", parameter("Version")},
		[3]string{"ThrottlingRate", "70", parameter("ThrottlingRate")},
		[3]string{"PublicBaseUrl", "https://momopay.example.com", parameter("PublicBaseUrl")},
		[3]string{"the number of functions", functions(), "aws lambda list-functions --output text --query 'length(Functions)'"})},
	{title: "A fixed outgoing address", page: deploy, heading: "## A fixed outgoing address", blocks: []int{0}},
	{title: "Restore to a point in time", page: deploy, heading: "## Restore to a point in time", blocks: []int{0, 1}, check: all(
		[3]string{"the main table", "momo-restored", output("MainTableName")},
		[3]string{"the audit table", "momo-audit-restored", output("AuditTableName")},
		[3]string{"the table that the functions use", "momo-restored",
			"aws lambda get-function-configuration --function-name momo-proxy-status --output text --query Environment.Variables.TABLE_NAME"},
		[3]string{"the number of tables, the old ones among them", "4", "aws dynamodb list-tables --output text --query 'length(TableNames)'"},
		[3]string{"the share of request-to-pay", "None", share})},
}
