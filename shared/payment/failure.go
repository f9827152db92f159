package payment

import "strings"

// FailureCode says why a payment did not succeed, in one vocabulary over all
// providers. Where pawaPay has a word for it, it is that word.
type FailureCode string

const (
	FailurePayerNotFound       FailureCode = "PAYER_NOT_FOUND"
	FailurePayerNotActive      FailureCode = "PAYER_NOT_ACTIVE"
	FailureInsufficientBalance FailureCode = "INSUFFICIENT_BALANCE"
	FailurePayerLimitReached   FailureCode = "PAYER_LIMIT_REACHED"
	FailureNotApproved         FailureCode = "PAYMENT_NOT_APPROVED"
	FailureExpired             FailureCode = "PAYMENT_EXPIRED"
	FailureCancelled           FailureCode = "PAYMENT_CANCELLED"
	FailureRequestRefused      FailureCode = "REQUEST_REFUSED"
	FailureAccountRefused      FailureCode = "ACCOUNT_REFUSED"
	FailureUnavailable         FailureCode = "PROVIDER_TEMPORARILY_UNAVAILABLE"
	FailureNotReceived         FailureCode = "PAYMENT_NOT_RECEIVED"
	FailureNoEnding            FailureCode = "NO_ENDING_IN_TIME"
	FailureByOperator          FailureCode = "ENDED_BY_OPERATOR"
	FailureUnspecified         FailureCode = "UNSPECIFIED_FAILURE"
)

// FailureCodes is what a provider's own codes and status words mean. Its keys are
// in upper case.
type FailureCodes map[string]FailureCode

// of says why a payment ends so, other than successfully.
func (codes FailureCodes) of(e Evidence, s Status, by Source) FailureCode {
	known, ok := codes[strings.ToUpper(e.Code)]
	switch {
	case by == FromClock:
		return FailureNoEnding
	case by == FromAbsence:
		return FailureNotReceived
	case by == FromOperator:
		return FailureByOperator
	case e.Source == FromSubmit && e.Code == ReasonNotSent && !e.AccountFault:
		return FailureUnavailable
	case e.AccountFault:
		return FailureAccountRefused
	case ok:
		return known
	case s == Cancelled:
		return FailureCancelled
	}
	return FailureUnspecified
}

// NewTry says whether the same payment, asked for once more, may succeed.
type NewTry string

const (
	TryNow   NewTry = "yes"   // as it is
	TryLater NewTry = "later" // once the payer, the operator or the provider has mended something
	TryNever NewTry = "no"    // only with another number, amount or method
	TryAsk   NewTry = "ask"   // first find out what became of this one
)

// Failure is what there is to say about a FailureCode.
type Failure struct {
	Code    FailureCode
	Meaning string // for the app's developer
	NewTry  NewTry
	// English, Portuguese and French are a sentence for the customer.
	English, Portuguese, French string
}

// Failures are all there are.
var Failures = []Failure{
	{FailurePayerNotFound, "The provider knows no wallet of this number.", TryNever,
		"This number has no wallet with the provider. Check the number.",
		"Este número não tem carteira no operador. Verifique o número.",
		"Ce numéro n'a pas de compte chez l'opérateur. Vérifiez le numéro."},
	{FailurePayerNotActive, "The payer's wallet is blocked or not active.", TryLater,
		"Your wallet is not active. Ask your provider, then try again.",
		"A sua carteira não está ativa. Fale com o seu operador e tente novamente.",
		"Votre compte n'est pas actif. Contactez votre opérateur, puis réessayez."},
	{FailureInsufficientBalance, "The payer's wallet or account has too little money.", TryLater,
		"There is not enough money in your wallet. Top up and try again.",
		"O saldo da sua carteira não chega. Carregue-a e tente novamente.",
		"Le solde de votre compte est insuffisant. Rechargez-le, puis réessayez."},
	{FailurePayerLimitReached, "The amount is over a limit of the payer's wallet.", TryLater,
		"The amount is over your wallet's limit. Pay less, or try again another day.",
		"O montante ultrapassa o limite da sua carteira. Pague menos ou tente noutro dia.",
		"Le montant dépasse la limite de votre compte. Payez moins, ou réessayez un autre jour."},
	{FailureNotApproved, "The payer said no, or did not enter the PIN.", TryNow,
		"The payment was not approved. Try again and confirm it on your phone.",
		"O pagamento não foi aprovado. Tente novamente e confirme no telefone.",
		"Le paiement n'a pas été approuvé. Réessayez et confirmez sur votre téléphone."},
	{FailureExpired, "Nobody approved or paid in the provider's time.", TryNow,
		"The time to pay has run out. Try again.",
		"O tempo para pagar terminou. Tente novamente.",
		"Le délai de paiement est dépassé. Réessayez."},
	{FailureCancelled, "The payment was cancelled before it was paid.", TryNow,
		"The payment was cancelled. Try again if you still want to pay.",
		"O pagamento foi cancelado. Tente novamente se ainda quiser pagar.",
		"Le paiement a été annulé. Réessayez si vous voulez toujours payer."},
	{FailureRequestRefused, "The provider found the request wrong: its amount, its number or a field.", TryNever,
		"This payment cannot be made like this. Ask the shop.",
		"Este pagamento não pode ser feito assim. Fale com a loja.",
		"Ce paiement n'est pas possible ainsi. Contactez la boutique."},
	{FailureAccountRefused, "The provider refused this service's account, whoever pays. The operator has been alerted.", TryLater,
		"Payments are not possible just now. You were not charged. Try again later.",
		"De momento não é possível pagar. Nada lhe foi cobrado. Tente mais tarde.",
		"Les paiements sont impossibles pour le moment. Rien n'a été débité. Réessayez plus tard."},
	{FailureUnavailable, "The provider could not be reached, or took no more requests. Nothing was charged.", TryNow,
		"The provider cannot be reached. You were not charged. Try again in some minutes.",
		"O operador não está acessível. Nada lhe foi cobrado. Tente dentro de alguns minutos.",
		"L'opérateur est injoignable. Rien n'a été débité. Réessayez dans quelques minutes."},
	{FailureNotReceived, "The provider says that it never received the request. Should it be found after all, the payment is corrected.", TryNow,
		"The payment did not reach the provider. Try again.",
		"O pagamento não chegou ao operador. Tente novamente.",
		"Le paiement n'est pas arrivé chez l'opérateur. Réessayez."},
	{FailureNoEnding, "The provider named no ending in its time. Should it still say that money moved, the payment is corrected to SUCCESSFUL.", TryAsk,
		"We do not know yet whether you have paid. Look into your wallet before you try again.",
		"Ainda não sabemos se pagou. Veja a sua carteira antes de tentar novamente.",
		"Nous ne savons pas encore si vous avez payé. Regardez votre compte avant de réessayer."},
	{FailureByOperator, "An operator ended it, who saw in the provider's books that nothing was paid, or gave the money back.", TryNow,
		"The payment was ended by the shop's payment service. Ask the shop.",
		"O pagamento foi encerrado pelo serviço de pagamentos da loja. Fale com a loja.",
		"Le paiement a été clos par le service de paiement de la boutique. Contactez la boutique."},
	{FailureUnspecified, "The provider says that it failed, and no more, or in a word that is not known here.", TryNow,
		"The payment failed. You were not charged. Try again, or pay another way.",
		"O pagamento falhou. Nada lhe foi cobrado. Tente novamente ou pague de outra forma.",
		"Le paiement a échoué. Rien n'a été débité. Réessayez, ou payez autrement."},
}

// FailureOf is what there is to say about a code.
func FailureOf(code FailureCode) (Failure, bool) {
	for _, f := range Failures {
		if f.Code == code {
			return f, true
		}
	}
	return Failure{}, false
}
