package mtn

import (
	"errors"
	"strings"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Codes that this adapter itself puts in Evidence.Code.
const (
	// CodeCredentials: MTN answered 401 to a token just fetched, or refused
	// to give one after a 401.
	CodeCredentials = provider.CodeCredentials
	// CodeWrongReference: a status answer whose externalId is not our
	// reference. It is about somebody else's payment.
	CodeWrongReference = "WRONG_REFERENCE"
	// CodeIncomplete: a status answer says SUCCESSFUL without saying how
	// much, in which currency or from whom.
	CodeIncomplete = "SUCCESSFUL_INCOMPLETE"
)

// errorBody returns code and message of an error answer, empty when it has
// none or is not JSON.
func errorBody(r wire.Reply) (code, message string) {
	if r.Class != "" {
		return "", ""
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return "", ""
	}
	code, _ = body.Text("code")
	message, _ = body.Text("message")
	if code == "" && strings.Contains(strings.ToUpper(message), "FORBIDDEN IP") {
		code = codeForbiddenIP // ERR82 has it as a text
	}
	return code, message
}

// notAsked says why a call was never made.
func notAsked(err error) (code, reason string, accountFault bool) {
	if errors.Is(err, provider.ErrCredentials) {
		return CodeCredentials, "MTN gave no token: it refused the credentials", true
	}
	return "", "MTN was not asked: there was no token in time", false
}
