"""Pays with the client that openapi-generator makes for Python.

usage: pay.py URL"""

import sys
import time
import uuid

import momoproxy
from momoproxy.rest import ApiException

KEY = "APP_CHANGE_THIS"


def client(key):
    return momoproxy.PaymentsApi(momoproxy.ApiClient(
        momoproxy.Configuration(host=sys.argv[1], api_key={"ProxyApiKey": key})))


def order(amount, external_id):
    return momoproxy.RequestToPay(
        amount=momoproxy.RequestToPayAmount(amount), external_id=external_id,
        payer=momoproxy.Payer(party_id_type="MSISDN", party_id="26876123456"))


def refused(status, call, *args):
    try:
        call(*args)
    except ApiException as e:
        assert e.status == status and isinstance(e.data, momoproxy.Error), e
        return e.data
    raise SystemExit(f"no {status}")


app, order_id = client(KEY), str(uuid.uuid4())
started = app.request_to_pay(order("1234567.89", order_id), order_id)
payment = app.status(str(started.reference_id))
while payment.status in ("PENDING", "ONGOING"):
    time.sleep(0.5)
    payment = app.status(str(started.reference_id))
unauthorized = refused(401, client("wrong").status, str(started.reference_id))
unknown = refused(404, app.status, str(uuid.uuid4()))
duplicate = refused(409, app.request_to_pay, order("1.00", order_id))
invalid = refused(422, app.request_to_pay, order("0", str(uuid.uuid4())))
assert duplicate.reference_id == started.reference_id, duplicate
print(payment.status.value, payment.amount, payment.amount_decimal, unauthorized.code, unknown.code, duplicate.code, invalid.code, invalid.details[0].var_field)
