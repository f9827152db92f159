package payment

// believed lists the sources that can be evidence. Whatever else claims
// something, a forgotten Source included, is a hint.
func believed(s Source) bool {
	switch s {
	case FromSubmit, FromStatus, FromSignedWebhook, FromTrustedCallback, FromOperator:
		return true
	}
	return false
}

// weigh lowers what does not speak of this payment. A signature proves who
// said it and not about whom: a signed body that does not name this payment,
// or has another id of it, is a hint. So is a trusted callback about another.
// The provider's answer about another payment says nothing.
func weigh(p Payment, e Evidence) Evidence {
	other := e.Reference != "" && e.Reference != p.Reference
	switch e.Source {
	case FromSignedWebhook:
		if e.Reference != p.Reference || contradicts(p.IDs, e.IDs) {
			e.Source = FromCallback
		}
	case FromTrustedCallback:
		if other {
			e.Source = FromCallback
		}
	case FromSubmit, FromStatus:
		if other {
			e.Verdict = SaysNothing
		}
	}
	return e
}

// contradicts says whether an id is known under the same name and differs.
func contradicts(known, told map[string]string) bool {
	for name, id := range told {
		if had, ok := known[name]; ok && had != id {
			return true
		}
	}
	return false
}

// meant says whether the source can say this at all. What it cannot say is no
// usable answer: above all, only a status answer can prove absence, and only
// the answer to the request can refuse it.
func meant(e Evidence) bool {
	switch e.Verdict {
	case SaysNothing, SaysAccepted, SaysPending, SaysUnrecognised, SaysSuccessful, SaysFailed, SaysCancelled:
		return true
	case SaysRefused:
		return e.Source == FromSubmit
	case SaysNotFound:
		return e.Source == FromStatus
	case SaysUnanswerable:
		return e.Source == FromSubmit || e.Source == FromStatus
	}
	return false
}

// knows says whether the sender knows the payment, and can tell more
// about it.
func knows(v Verdict) bool {
	switch v {
	case SaysAccepted, SaysPending, SaysUnrecognised, SaysSuccessful, SaysFailed, SaysCancelled:
		return true
	}
	return false
}
