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

// knows says whether whoever says this knows the payment, and can tell more
// about it.
func knows(v Verdict) bool {
	switch v {
	case SaysAccepted, SaysPending, SaysUnrecognised, SaysSuccessful, SaysFailed, SaysCancelled:
		return true
	}
	return false
}
