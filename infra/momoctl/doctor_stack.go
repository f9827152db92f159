package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"momoproxy/shared/assembly"
	"momoproxy/shared/provider"
)

// outgoingAddress asks the deployed reconciler where its calls come from.
func outgoingAddress(ctx context.Context, p *patient) []provider.Finding {
	f := provider.Finding{Check: "outgoing_address", State: provider.Unknown}
	if p.stack == nil {
		f.Found, f.Next = "it is this machine's", "If a provider asks for it: curl https://checkip.amazonaws.com"
		return []provider.Finding{f}
	}
	var at struct {
		VpcConfig struct{ SubnetIds []string }
	}
	name := p.stack.function("reconciler")
	if err := p.stack.rest(ctx, http.MethodGet, "/2015-03-31/functions/"+name+"/configuration", nil, &at); err != nil {
		f.Found, f.Next = err.Error(), "May these credentials read the functions' configuration?"
		return []provider.Finding{f}
	}
	var answer json.RawMessage
	err := p.stack.rest(ctx, http.MethodPost, "/2015-03-31/functions/"+name+"/invocations", assembly.Question{Ask: assembly.AskAddress}, &answer)
	var said assembly.Answer
	if err == nil {
		err = json.Unmarshal(answer, &said)
	}
	if err == nil && said.Address == "" {
		err = fmt.Errorf("the reconciler names none: %.200s", answer)
	}
	if p.Address, p.Fixed = said.Address, len(at.VpcConfig.SubnetIds) > 0; err != nil {
		f.State, f.Found = provider.Fault, err.Error()
		f.Next = "The reconciler cannot reach the internet, or is of an older version. In a VPC: do its subnets lead to a NAT?"
		return []provider.Finding{f}
	}
	f.State, f.Found = provider.Fine, said.Address+", of a NAT: it stays as long as its Elastic IP"
	if !p.Fixed {
		f.Found = "none fixed; just now " + said.Address
	}
	return []provider.Finding{f}
}

// alarmTopics: an alarm is silent until somebody has confirmed a subscription.
func alarmTopics(ctx context.Context, p *patient) []provider.Finding {
	if p.stack == nil {
		return nil
	}
	var found []provider.Finding
	for _, topic := range []struct{ check, output, what string }{
		{"alarms_page", "PageTopicArn", "alarms that cannot wait"}, {"alarms_ticket", "TicketTopicArn", "alarms for the morning"},
	} {
		f := provider.Finding{Check: topic.check, State: provider.Fault}
		arn := p.stack.outputs[topic.output]
		var in struct {
			Members []struct{ SubscriptionArn string } `xml:"ListSubscriptionsByTopicResult>Subscriptions>member"`
		}
		err := p.stack.query(ctx, "sns", url.Values{"Action": {"ListSubscriptionsByTopic"}, "Version": {"2010-03-31"}, "TopicArn": {arn}}, &in)
		confirmed := 0
		for _, s := range in.Members {
			if s.SubscriptionArn != "PendingConfirmation" {
				confirmed++
			}
		}
		switch {
		case arn == "":
			f.Found, f.Next = "the stack has no output "+topic.output, "Deploy this version's template."
		case err != nil:
			f.State, f.Found, f.Next = provider.Unknown, err.Error(), "May these credentials list the subscriptions of "+arn+"?"
		case confirmed > 0:
			f.State, f.Found = provider.Fine, plural(confirmed, "confirmed subscription")
		case len(in.Members) > 0:
			f.Found, f.Next = fmt.Sprintf("nobody is told of %s: the subscription is not confirmed", topic.what), "Open the mail from AWS Notifications and confirm it."
		default:
			f.Found, f.Next = fmt.Sprintf("nobody is told of %s", topic.what), "Deploy with AlarmEmail, or subscribe a pager to "+arn+"."
		}
		found = append(found, f)
	}
	return found
}

// recommended are parameters whose other values have a price, and what that is.
var recommended = []struct{ name, value, price string }{
	{"CallbackPolicy", "confirm", "unsigned callbacks are believed: whoever finds the address can mark orders paid"},
	{"DeletionProtection", "true", "a mistaken command can delete the tables"},
	{"LogLevel", "INFO", "more is logged than is needed, and paid for"},
}

// shortestLogs is what a question from a provider's support may need.
const shortestLogs = 30

// parameters compares the stack's with the recommended ones.
func parameters(_ context.Context, p *patient) []provider.Finding {
	if p.stack == nil {
		return nil
	}
	var found []provider.Finding
	differs := func(name, value, better, price string) {
		found = append(found, provider.Finding{Check: "parameters", State: provider.Doubt,
			Found: fmt.Sprintf("%s is %s: %s", name, value, price), Next: fmt.Sprintf("Deploy with %s=%s unless you know why not.", name, better)})
	}
	for _, r := range recommended {
		if is, set := p.stack.parameters[r.name]; set && is != r.value {
			differs(r.name, is, r.value, r.price)
		}
	}
	if days, err := strconv.Atoi(p.stack.parameters["LogRetentionDays"]); err == nil && days < shortestLogs {
		differs("LogRetentionDays", strconv.Itoa(days), strconv.Itoa(shortestLogs), "the lines are gone before somebody asks")
	}
	if !p.stack.protected {
		found = append(found, provider.Finding{Check: "parameters", State: provider.Doubt, Found: "termination protection is off",
			Next: "aws cloudformation update-termination-protection --enable-termination-protection --stack-name " + p.stack.name})
	}
	if len(found) == 0 {
		found = append(found, provider.Finding{Check: "parameters", State: provider.Fine, Found: "as recommended"})
	}
	return found
}
