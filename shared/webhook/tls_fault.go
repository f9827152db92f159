package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
)

// TLSFault says which fault ended a handshake. It is stored with the attempt
// and is safe to show to the app.
type TLSFault string

const (
	TLSNone             TLSFault = ""
	TLSUnknownAuthority TLSFault = "unknown_authority" // not issued by an authority we trust, or the chain is incomplete
	TLSWrongName        TLSFault = "wrong_name"        // the certificate is for other host names
	TLSExpired          TLSFault = "expired"           // expired, or not valid yet
	TLSVersion          TLSFault = "version"           // the server offers nothing from TLS 1.2 on
	TLSNotTLS           TLSFault = "not_tls"           // the port answers, but not with TLS
	TLSTimeout          TLSFault = "timeout"           // the handshake did not end in time
	TLSOther            TLSFault = "other"
)

// TLSFaults lists every fault there is.
var TLSFaults = []TLSFault{
	TLSUnknownAuthority, TLSWrongName, TLSExpired, TLSVersion, TLSNotTLS, TLSTimeout, TLSOther,
}

// tlsFault names the fault behind the error of a failed handshake.
func tlsFault(err error) TLSFault {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return TLSUnknownAuthority
	case errors.As(err, &name):
		return TLSWrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return TLSExpired
	case errors.As(err, &record):
		return TLSNotTLS
	case strings.Contains(err.Error(), "protocol version"): // crypto/tls exports no type for it
		return TLSVersion
	case isTimeout(err):
		return TLSTimeout
	}
	return TLSOther
}
