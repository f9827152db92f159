"""Pays with the client that openapi-python-client makes.

usage: pay_httpx.py URL"""

import sys
import time
import uuid

from momoproxy import AuthenticatedClient
from momoproxy.api.payments import request_to_pay, status
from momoproxy.models import Error, Payer, PayerPartyIdType, Payment, RequestToPay, StartedPayment, Status

KEY = "APP_CHANGE_THIS"


def client(key):
    return AuthenticatedClient(base_url=sys.argv[1], token=key, prefix="", auth_header_name="X-Proxy-Api-Key")


def order(amount, external_id):
    return RequestToPay(amount=amount, external_id=external_id, payer=Payer(party_id_type=PayerPartyIdType.MSISDN, party_id="26876123456"))


def answer(status_code, kind, response):
    assert response.status_code == status_code and isinstance(response.parsed, kind), response
    return response.parsed


app, order_id = client(KEY), str(uuid.uuid4())
started = answer(202, StartedPayment, request_to_pay.sync_detailed(client=app, body=order("1234567.89", order_id), idempotency_key=order_id))
reference = str(started.reference_id)
payment = answer(200, Payment, status.sync_detailed(reference, client=app))
while payment.status in (Status.PENDING, Status.ONGOING):
    time.sleep(0.5)
    payment = answer(200, Payment, status.sync_detailed(reference, client=app))
unauthorized = answer(401, Error, status.sync_detailed(reference, client=client("wrong")))
unknown = answer(404, Error, status.sync_detailed(str(uuid.uuid4()), client=app))
duplicate = answer(409, Error, request_to_pay.sync_detailed(client=app, body=order("1.00", order_id)))
invalid = answer(422, Error, request_to_pay.sync_detailed(client=app, body=order("0", str(uuid.uuid4()))))
assert duplicate.reference_id == started.reference_id, duplicate
print(payment.status.value, payment.amount, payment.amount_decimal, unauthorized.code, unknown.code, duplicate.code, invalid.code, invalid.details[0].field)
