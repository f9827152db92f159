"""Requests to pay that generation alone never hits upon: a provider, one of
its methods, a payer of its country and an amount have to fit each other. The
stand-ins say which do (standin/serve -orders). A provider that takes few at
once refuses more with 503."""

import json
import os

import schemathesis

with open(os.environ["SCHEMATHESIS_ORDERS"]) as file:
    ORDERS = json.load(file)


@schemathesis.hook
def before_add_examples(context, examples):
    if context.operation.label != "POST /request-to-pay":
        return
    for i, order in enumerate(ORDERS):
        body = dict(order, externalId=f"order {i}", callbackFormat=("proxy", "provider")[i % 2])
        examples.append(context.operation.Case(body=body, media_type="application/json"))
