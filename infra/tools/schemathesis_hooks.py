"""Requests to pay that generation alone never hits upon: a provider, one of
its methods, a payer of its country and an amount have to fit each other. The
amount's cents, or at MTN the payer, pick what the stand-in does with it
(infra/standin/README.md). Mom Factura takes few at once: more get 503."""

import schemathesis

# provider, method, payer, cents, form of the callbacks
PAYMENTS = [
    ("mom-factura", "reference", None, "00", "provider"),
    ("mom-factura", "ekwanza", "244923456789", "00", "proxy"),
    ("mom-factura", "mcx", "244923456789", "00", "provider"),
    ("momentpay", "link", None, "00", "proxy"),
    ("momentpay", "link", None, "72", "provider"),  # the first answer is lost
    ("momentpay", "link", None, "79", "proxy"),  # refused
    ("momentpay", "push", "27820000000", "00", "provider"),
    ("momentpay", "push", "27820000000", "53", "proxy"),  # fails
    ("mtn", None, "26876123456", "00", "provider"),
    ("mtn", None, "26876996404", "00", "proxy"),  # refused
]


@schemathesis.hook
def before_add_examples(context, examples):
    if context.operation.label != "POST /request-to-pay":
        return
    for provider, method, payer, cents, form in PAYMENTS:
        body = {
            "provider": provider,
            "amount": "150." + cents,
            "externalId": f"{provider} {method} {cents}",
            "callbackFormat": form,
        }
        if method:
            body["method"] = method
        if payer:
            body["payer"] = {"partyIdType": "MSISDN", "partyId": payer}
        examples.append(context.operation.Case(body=body, media_type="application/json"))
