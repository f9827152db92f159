package simulation

// Mutation is one fault put into the code on purpose: where File has Old, it
// gets New. A simulation, or the tests in HeldBy, that do not notice it check
// nothing.
type Mutation struct {
	Name      string
	Invariant Invariant // the one it breaks
	File      string    // from the module's root
	Old, New  string
}

// Tests are those of another package.
type Tests struct {
	Package string // as go test takes it, from the module's root
	Run     string // as its -run
}

// HeldBy names the tests for invariants that no run can break, because the
// simulation has something else in the place of what keeps them. They must
// reach nothing outside the machine whatever is mutated.
var HeldBy = map[Invariant]Tests{
	// A hook stops every connection that the guard lets through, and names
	// are resolved in the process.
	Addresses: {"./shared/webhook", "^(TestPublic|TestEverySpecialAddressIsRefusedAtConnect|TestRebindingGainsNothing|TestTheGuardAloneJudgesPortsAndNetworks)$"},
}

// Unproven are the invariants without a mutation, and why.
var Unproven = map[Invariant]string{
	Rest:    "a bound on the run itself: a system that never rests would run for ever",
	NoPanic: "any panic, and any call that a port forbids, whatever its cause",
}

// FreeOnly names the mutations that free interleavings alone show: a process
// reads a record while another one is at work on it, waits until that one has
// ended, and writes back what it had read. With -nested the second process
// ends inside the wait of the first, and none is caught within 2,000 seeds.
var FreeOnly = []string{
	"an event that another worker is at is put off as it was read",
	"a repeat writes the running request back as it was read",
	"a question that came too late writes a running request back",
}

// Mutations are what must be caught, at least one for each invariant that is
// not in Unproven.
var Mutations = []Mutation{
	{
		"an Idempotency-Key makes no difference", ChargedOnce, "shared/gateway/initiate.go",
		`if r.IdempotencyKey != "" {
		p.Reference = payment.ReferenceFor`,
		`if false {
		p.Reference = payment.ReferenceFor`,
	},
	{
		"an order is not locked", ChargedOnce, "shared/ledger/create_payment.go",
		`ops := []table.Op{l.putPayment(p), table.Put(lock)}`,
		`ops := []table.Op{l.putPayment(p)}`,
	},
	{
		"a repeat asks the provider again", ChargedOnce, "shared/ledger/create_payment.go",
		`return Payment{}, &ExistsError{stored}`,
		`return stored, nil`,
	},
	{
		"a failed payment keeps its order, a correction loses it", Available, "shared/ledger/apply_decision.go",
		`ops = append(ops, table.Delete(lock, 1))`,
		`_ = lock`,
	},
	{
		"an ending makes no event", EventsOnce, "shared/ledger/apply_decision.go",
		`ops = append(ops, l.putDelivery(d))`,
		`_ = l.putDelivery(d)`,
	},
	{
		"nobody rings again", EventsOnce, "shared/forwarder/sweeper.go",
		`Before: now.Add(-doorbellGrace)}`,
		`Before: time.Unix(0, 0)}`,
	},
	{
		"a correction does not wait for what it corrects", EventsOnce, "shared/forwarder/forwarder.go",
		`case predecessor != nil:
		return`,
		`case predecessor != nil && false:
		return`,
	},
	{
		"a redirect counts as delivered", EventsOnce, "shared/delivery/outcome.go",
		`case o.Code >= 200 && o.Code <= 299:`,
		`case o.Code >= 200 && o.Code <= 399:`,
	},
	{
		"the signature is made of another body", EventsOnce, "shared/forwarder/attempt.go",
		`webhook.SignLegacy(body, client.LegacyKey(at))`,
		`webhook.SignLegacy([]byte(d.EventID), client.LegacyKey(at))`,
	},
	{
		"callbacks are believed", NoForgery, "shared/gateway/receive.go",
		`case g.TrustCallbacks && parseErr == nil:`,
		`case parseErr == nil:`,
	},
	{
		"another amount is overlooked", NoForgery, "shared/payment/compare.go",
		`if err != nil || m != p.Amount {`,
		`if err != nil || m.Currency != p.Amount.Currency {`,
	},
	{
		"another payer is overlooked", NoForgery, "shared/payment/compare.go",
		`return e.Payer != "" && p.Payer != "" && strings.TrimPrefix(e.Payer, "+") != string(p.Payer)`,
		`return false`,
	},
	{
		"an unknown status word means success", NoForgery, "shared/provider/decision.go",
		`	return payment.SaysUnrecognised`,
		`	return payment.SaysSuccessful`,
	},
	{
		"an unknown error code means that nothing was charged", Evidence, "shared/provider/decision.go",
		`return Rule{Operation: op, Verdict: payment.SaysNothing}, false`,
		`return Rule{Operation: op, Verdict: payment.SaysRefused}, op == OnSubmit && !page`,
	},
	{
		"one shard is forgotten", InTime, "shared/gateway/reconcile.go",
		`(first + i) % ledger.DueShards; backlog.PaymentsDue(shard)`,
		`(first + i) % (ledger.DueShards - 1); backlog.PaymentsDue(shard)`,
	},
	{
		"a check is the last", InTime, "shared/gateway/poll.go",
		`claim.NextCheckAt = method.Policy.NextCheck(claim.Payment, now)`,
		`claim.NextCheckAt = claim.EndedAt // none`,
	},
	{
		"a correction whose status lags is missed", InTime, "shared/payment/decide.go",
		`p.Status.Ended() && (claimed != Successful || pol.doubted(p, at)):`,
		`p.Status.Ended():`,
	},
	{
		"what timed out is not asked about again", InTime, "shared/payment/schedule.go",
		`return earlier(now.Add(pol.LateInterval), pol.giveUp(p))`,
		`return time.Time{}`,
	},
	{
		"absence needs no grace", Evidence, "shared/payment/decide.go",
		`if e.At.Before(p.SubmitDeadline.Add(pol.NotFoundGrace)) {`,
		`if false {`,
	},
	{
		"a refusal counts whatever came before it", Evidence, "shared/provider/mtn/submit.go",
		`if verdict == payment.SaysRefused && doubt {`,
		`if false {`,
	},
	{
		"no answer means failed", Evidence, "shared/payment/decide.go",
		`	case SaysFailed, SaysRefused:
		return Failed, true`,
		`	case SaysFailed, SaysRefused, SaysNothing:
		return Failed, true`,
	},
	{
		"the window is an hour", Evidence, "shared/provider/mtn/mtn.go",
		`24 * time.Hour,
	LateInterval:`,
		`1 * time.Hour,
	LateInterval:`,
	},
	{
		"an ending is overwritten by a stale reader", EventsOnce, "shared/table/memory/table.go",
		`stored.Version != op.Record.Version {`,
		`stored.Version != op.Record.Version && k.Sort != "payment" {`,
	},
	{
		"anybody may look", Separation, "shared/gateway/status.go",
		`case s.Payment.ClientID != c.ID:`,
		`case false:`,
	},
	{
		"an order id is locked for all apps", Separation, "shared/ledger/keys.go",
		`Partition: lockPartition(externalID), Sort: "client#" + clientID}`,
		`Partition: lockPartition(externalID), Sort: "client#"}`,
	},
	{
		"the newest account is asked", OwnAccount, "shared/gateway/account.go",
		`			return prov, true
`,
		`			return cmp.Or(g.share(context.Background(), g.accounts(p.Provider), p.ExternalID), prov), true
`,
	},
	{
		"there is always a free slot", Limits, "shared/ledger/provider_limit.go",
		`if r.Limit.Every <= 0 {`,
		`if r.Limit.Every >= 0 {`,
	},
	{
		"a slot never ends", Limits, "shared/guard/limiter.go",
		`slotLasts = 100 * time.Millisecond`,
		`slotLasts = 100 * time.Hour`,
	},
	{
		"a fault after the charge is told as none", Answers, "shared/gateway/initiate.go",
		`return Answer{Kind: Accepted, Payment: entry, Status: payment.Pending, Phase: entry.Phase}, false, nil`,
		`return Answer{}, false, err`,
	},
	{
		"audit records are dropped", Audited, "shared/ledger/apply_decision.go",
		`ops = append(ops, l.auditOps(c.Audit)...)`,
		`_ = c.Audit`,
	},
	{
		"what the provider answered is not kept", Follows, "shared/gateway/gateway.go",
		`ResponseBody: x.ResponseBody, Duration: x.Duration`,
		`Duration: x.Duration`,
	},
	{
		"a wrong token is answered otherwise", Oracle, "shared/httpapi/webhook.go",
		`			resp = stamp(received(), r)
		}
		return resp, err`,
		`			resp = stamp(received(), r)
		}
		if r.PathParameters["token"] == "x" {
			resp.Body = "{}"
		}
		return resp, err`,
	},
	{
		"an endpoint is tried for ever", DeadEndpoints, "shared/delivery/outcome.go",
		`At: now.Add(wait), Charged: true}`,
		`At: now.Add(wait)}`,
	},
	{
		"a refusal ends an event early", EventsOnce, "shared/delivery/outcome.go",
		`attempt >= MaxAttempts`,
		`attempt >= MaxAttempts || reason == ReasonRefused && attempt >= 5`,
	},
	{
		"410 for one payment disables the endpoint", Available, "shared/delivery/outcome.go",
		`reason == ReasonGone && o.OwnURL`,
		`reason == ReasonGone && o.OwnURL && o.OffSchedule`,
	},
	{
		"attempts come no rarer", DeadEndpoints, "shared/delivery/schedule.go",
		`return spread(waits[n-1], random)`,
		`return spread(waits[min(n-1, 4)], random)`,
	},
	{
		"an event that another worker is at is put off as it was read", EventsOnce, "shared/forwarder/forwarder.go",
		`		return nil // another worker is at it; if it dies, the sweeper rings
`,
		`		later := d.Postpone(d.LeaseUntil)
		if now, err := f.Ledger.Delivery(ctx, reference, sequence); err == nil {
			later.Version = now.Version
		}
		_, err := f.save(ctx, later)
		return err
`,
	},
	{
		"a repeat writes the running request back as it was read", EventsOnce, "shared/gateway/initiate.go",
		`		return g.replay(stored, hash), true, nil
`,
		`		_, _ = g.Ledger.ExternalIDHolder(ctx, p.ClientID, p.ExternalID)
		if now, err := g.Ledger.Payment(ctx, p.Reference); err == nil && stored.Phase == payment.PhaseSubmitting {
			now.Payment = stored.Payment
			_, _ = g.Ledger.ClaimCheck(ctx, now)
		}
		return g.replay(stored, hash), true, nil
`,
	},
	{
		"a question that came too late writes a running request back", EventsOnce, "shared/gateway/poll.go",
		`	p, err = g.acquire(ctx, prov, p, why, method)
	if errors.Is(err, ledger.ErrStale) {
		fresh, err := g.Ledger.Payment(ctx, p.Reference)
`,
		`	before := p
	p, err = g.acquire(ctx, prov, p, why, method)
	if errors.Is(err, ledger.ErrStale) {
		fresh, err := g.Ledger.Payment(ctx, p.Reference)
		if err == nil && before.Phase == payment.PhaseSubmitting {
			fresh.Payment = before.Payment
			_, _ = g.Ledger.ClaimCheck(ctx, fresh)
		}
`,
	},
	{
		"an open circuit holds nothing", DeadEndpoints, "shared/forwarder/admit.go",
		`if err != nil || !e.Blocked() {`,
		`if err != nil || e.State != delivery.EndpointDisabled {`,
	},
	{
		"a dead endpoint is probed every minute", DeadEndpoints, "shared/delivery/breaker.go",
		`	return ProbeEvery
}`,
		`	return time.Minute
}`,
	},
	{
		"a disabled endpoint is sent to", DeadEndpoints, "shared/delivery/endpoint.go",
		`return e.State == EndpointOpen || e.State == EndpointDisabled`,
		`return e.State == EndpointOpen`,
	},
	{
		"an endpoint that is back stays shut", Available, "shared/delivery/breaker.go",
		`return e.Reopen(now), []Notice{NoticeRecovered}`,
		`return e, nil`,
	},
	{
		"nothing held is let go", EventsOnce, "shared/forwarder/sweeper.go",
		`did.Released, err = s.drain(ctx, e, now)`,
		`_ = s.drain`,
	},
	{
		"a page of what is held is enough", EventsOnce, "shared/forwarder/drain.go",
		`if len(held) == 0 {`,
		`if len(held) == 0 || e.DrainedTo.After(e.ClosedAt) {`,
	},
	{
		"a correction overtakes what is held", EventsOnce, "shared/delivery/delivery.go",
		`case !other.State.Parked() || other.HeldForEndpoint():`,
		`case !other.State.Parked():`,
	},
	{
		"a failed attempt by hand undoes a delivery", EventsOnce, "shared/delivery/delivery.go",
		`case next.Step == StepKeep, resent, `,
		`case resent && false, `,
	},
	{
		"apps on one host share a circuit", Separation, "shared/ledger/keys.go",
		`Partition: endpointPartition(clientID), Sort: originPrefix + origin}`,
		`Partition: endpointPartition(""), Sort: originPrefix + origin}`,
	},
	{
		"each instance counts an app's requests by itself", Requests, "shared/httpapi/rate_limit.go",
		`case ahead(a.aloneUntil, now, aloneLasts):`,
		`default:`,
	},
	{
		"a timeline and a resend look at no owner", Separation, "shared/httpapi/payment_timeline.go",
		`if err == nil && story.Payment.ClientID != client.ID {`,
		`if false {`,
	},
	{
		"an ended API key still opens", Secrets, "shared/ledger/rotate_client.go",
		`hash == c.oldKeyHash && now.Before(c.OldKeyUntil)`,
		`hash == c.oldKeyHash`,
	},
	{
		"a new API key ends the one before", Answers, "shared/ledger/rotate_client.go",
		`= c.APIKey, fresh, until, false`,
		`= c.APIKey, fresh, now, false`,
	},
	{
		"one app closes a provider for every app", Separation, "shared/guard/breaker.go",
		`if !keepsOut(h, clientID) {
		return nil
	}
	probeAt := app.ProbeAt`,
		`if !h.Open() {
		return nil
	}
	probeAt := h.ProbeAt()`,
	},
	{
		"an old secret signs for ever", Secrets, "shared/ledger/rotate_client.go",
		`!now.Before(c.OldSecretUntil)`,
		`false`,
	},
	{
		"a rotation has no overlap", Secrets, "shared/ledger/rotate_client.go",
		`!now.Before(c.OldSecretUntil)`,
		`true`,
	},
	{
		"a rotation keeps the oldest secret", Secrets, "shared/ledger/rotate_client.go",
		`secrets = append(secrets, c.SigningSecrets[0])`,
		`secrets = append(secrets, c.SigningSecrets[len(c.SigningSecrets)-1])`,
	},
	{
		"Mom Factura is asked to pay again when no answer came", ChargedOnce, "shared/provider/momfactura/submit.go",
		`e := readSubmit(r, method, p.now())`,
		`if r.Code == 0 {
		r = p.client.Do(ctx, &trail, wire.Call{Method: http.MethodPost, Path: "/api/payment/" + method, Headers: headers, Body: p.orderBody(pay, invoice)}, p.cfg.AttemptTimeout)
	}
	e := readSubmit(r, method, p.now())`,
	},
	{
		"MomentPay is asked under a key of the minute", ChargedOnce, "shared/provider/momentpay/request.go",
		`c.Headers["Idempotency-Key"] = pay.Reference`,
		`c.Headers["Idempotency-Key"] = pay.Reference + p.now().Format("-1504")`,
	},
	{
		"MomentPay's key is taken to live for ever", ChargedOnce, "shared/provider/momentpay/status.go",
		`const keyLife = 23 * time.Hour`,
		`const keyLife = 72 * time.Hour`,
	},
	{
		"a token that may have leaked makes a webhook evidence", NoForgery, "shared/gateway/receive.go",
		`case g.TrustCallbacks && parseErr == nil:`,
		`case claim.Standing == provider.Known && parseErr == nil:`,
	},
	{
		"an invoice is taken from the webhook", NoForgery, "shared/gateway/poll.go",
		`	after, err = g.applyEvidence(ctx, p, update{`,
		`	if cb, _ := prov.ParseCallback(provider.Inbound{Body: why.raw}); cb.Evidence.InvoiceURL != "" {
		result.Evidence.InvoiceURL = cb.Evidence.InvoiceURL
	}
	after, err = g.applyEvidence(ctx, p, update{`,
	},
	{
		"MomentPay's signature is not checked", NoForgery, "shared/provider/momentpay/callback.go",
		`	_, err := webhook.Verify(header, in.Body, at, tolerance, p.secrets...)
	return err`,
		`	_, _ = webhook.Verify(header, in.Body, at, tolerance, p.secrets...)
	return nil`,
	},
	{
		"MomentPay's amount is not looked at", NoForgery, "shared/provider/momentpay/report.go",
		`ev := t.evidence
`,
		`ev := t.evidence
	ev.Amount = ""
`,
	},
	{
		"a status answer about another reference is taken", NoForgery, "shared/provider/momfactura/status.go",
		`if known := pay.IDs[name]; known != "" && known != id && asked[name] {`,
		`if known := pay.IDs[name]; known != "" && known != id && asked[name] && false {`,
	},
	{
		"a strict interval is not kept", Limits, "shared/gateway/poll.go",
		`return m.MinPollInterval + claimLasts`,
		`return m.MinPollInterval / 4`,
	},
	{
		"Mom Factura's limit of requests is not kept", Limits, "shared/provider/momfactura/momfactura.go",
		`questions = provider.Limit{Every: 850 * time.Millisecond, Burst: 5}`,
		`questions = provider.Limit{}`,
	},
	{
		"Mom Factura's limit of requests to pay is not kept", Limits, "shared/provider/momfactura/momfactura.go",
		`submits   = provider.Limit{Every: 4200 * time.Millisecond, Burst: 5}`,
		`submits   = provider.Limit{}`,
	},
	{
		"our clock ends what nobody can be asked about", Evidence, "shared/payment/decide.go",
		`p.Phase != PhaseHeld && !p.Unanswerable && !e.At.Before(pol.end(*p))`,
		`p.Phase != PhaseHeld && !e.At.Before(pol.end(*p))`,
	},
	{
		"what was never sent is left open", Evidence, "shared/gateway/submit.go",
		`	if result.Attempted {
		return result.Evidence
	}
	e :=`,
		`	if true {
		return result.Evidence
	}
	e :=`,
	},
	{
		"an MCX payment without an answer has failed", Evidence, "shared/provider/momfactura/submit.go",
		`e.Verdict = payment.SaysUnanswerable
	}`,
		`e.Verdict = payment.SaysFailed
	}`,
	},
	{
		"what nobody can be asked about is not put before the operator", InTime, "shared/provider/momfactura/status.go",
		`Verdict: payment.SaysUnanswerable, Reason: "Mom Factura offers`,
		`Verdict: payment.SaysNothing, Reason: "Mom Factura offers`,
	},
	{
		"nobody asks for the invoice", InTime, "shared/payment/schedule.go",
		`if p.InvoiceURL != "" || p.EndedBy == FromOperator`,
		`if true || p.InvoiceURL != "" || p.EndedBy == FromOperator`,
	},
	{
		"an invoice makes a second success", EventsOnce, "shared/payment/decide.go",
		`d.Events = append(d.Events, EventInvoice)`,
		`d.Events = append(d.Events, EventSuccessful)`,
	},
	{
		"the ids of one provider are those of all", Separation, "shared/ledger/provider_id.go",
		`return "id#" + provider + "#" + id }`,
		`return "id#" + id }`,
	},
	{
		"a payload in MomentPay's form names the app's order", Separation, "shared/provider/momentpay/native.go",
		`ExternalReference: pay.Reference,`,
		`ExternalReference: pay.ExternalID,`,
	},
	{
		"one secret of MomentPay's is enough", Available, "shared/provider/momentpay/config.go",
		`	for _, text := range c.WebhookSecrets {
		if s, err`,
		`	for _, text := range c.WebhookSecrets[:1] {
		if s, err`,
	},
	{
		"private addresses count as public", Addresses, "shared/webhook/guard_address.go",
		`	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
`,
		`	if a.IsPrivate() {
		return true
	}
`,
	},
	{
		"a platform's own addresses count as public", Addresses, "shared/webhook/guard_address.go",
		`if prefix.Contains(a) {`,
		`if prefix.Contains(a) && false {`,
	},
	{
		"the guard lets any address through", Addresses, "shared/webhook/guard_address.go",
		`case !Public(addr):`,
		`case false:`,
	},
	{
		"an event is listed at once", Answers, "shared/ledger/list_events.go",
		`To: timeKey(now.Add(-EventSettling))`,
		`To: timeKey(now)`,
	},
	{
		"a refund's sum is not compared with what was paid", Refunds, "shared/refund/refund.go",
		`a.Amount.Minor < 1 || a.Amount.Minor > left.Minor:`,
		`a.Amount.Minor < 1:`,
	},
	{
		"a refund does not take its amount from the payment", Refunds, "shared/ledger/request_refund.go",
		`if d.Payment.Refunds == before.Refunds && d.Event == "" {`,
		`if d.Event == "" {`,
	},
	{
		"an unknown refund is sent again under a new reference", Refunds, "shared/gateway/refund.go",
		`if f.Status == refund.Pending {`,
		`if f.Status == refund.Unknown {
		f.Status, f.Reference = refund.Pending, refund.ReferenceFor(f.ClientID, f.Payment, fmt.Sprint(f.ID, f.Sends))
	}
	if f.Status == refund.Pending {`,
	},
	{
		"a refund is sent before it is claimed", Refunds, "shared/gateway/refund.go",
		`f, err := g.Ledger.ClaimRefund(ctx, f, claimed)`,
		`var err error
	f.Refund = claimed`,
	},
	{
		"a 404 or 500 to a refund is taken for a failure", Refunds, "shared/provider/mtn/refund.go",
		`e.Reason = wire.Clean(message, longestReason)
	if rule,`,
		`e.Reason = wire.Clean(message, longestReason)
	if r.Code == 404 || r.Code == 500 {
		e.Verdict = payment.SaysRefused
	}
	if rule,`,
	},
	{
		"a refund that MTN does not know is taken for failed", Refunds, "shared/refund/decide.go",
		`case payment.SaysFailed, payment.SaysCancelled, payment.SaysRefused:
		return Failed, true`,
		`case payment.SaysFailed, payment.SaysCancelled, payment.SaysRefused, payment.SaysNotFound:
		return Failed, true`,
	},
	{
		"an unknown refund counts as free", Refunds, "shared/refund/decide.go",
		`d.Refund.Status, d.Refund.Code = Unknown, clean(cmp.Or(e.Code, e.Reason))`,
		`d.Refund.Status, d.Refund.Code = Unknown, clean(cmp.Or(e.Code, e.Reason))
		d.Payment.Refunds.Reserved, d.Payment.Refunds.Open, d.Event = d.Payment.Refunds.Reserved-r.Amount.Minor, "", ""`,
	},
	{
		"a refund ends by an answer about other money", Refunds, "shared/refund/decide.go",
		`return e.Amount != "" && (err != nil || m != r.Amount)`,
		`return e.Amount != "" && (err != nil || m.Currency != r.Amount.Currency)`,
	},
	{
		"a refund's ending makes no event", EventsOnce, "shared/ledger/request_refund.go",
		`if d.Event != "" {
		e :=`,
		`if d.Event == payment.EventRefundSuccessful {
		e :=`,
	},
	{
		"a refund that nobody could be asked for leaves no record", Audited, "shared/gateway/refund.go",
		`if len(a.Exchanges) > 0 {
		return a.Exchanges
	}`,
		`if len(a.Exchanges) >= 0 {
		return a.Exchanges
	}`,
	},
	{
		"a payment that was not proven paid is refunded", Refunds, "shared/refund/refund.go",
		`case p.Status != payment.Successful:`,
		`case p.Status == payment.Failed:`,
	},
}
