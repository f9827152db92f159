"""Pays through MTN's stand-in with one published Python client, unchanged and
told nothing but where the stand-in is and its account. Prints a row of what
the client can; see the table in infra/standin/README.md. The account is read
from the variables that standin/serve prints.

usage: pay.py PACKAGE BASE_URL PLATFORM"""

import http.server
import json
import os
import sys
import threading
import time

PACKAGE, BASE, PLATFORM = sys.argv[1:4]
USER, KEY, SUBSCRIPTION, ENVIRONMENT, CURRENCY = (
    os.environ[name] for name in ("MTN_API_USER", "MTN_API_KEY", "MTN_SUBSCRIPTION_KEY", "MTN_TARGET_ENV", "MTN_CURRENCY")
)
APPROVES, DECLINES = {"EUR": ("46733999999", "46733123451"), "SZL": ("26876123456", "26876996002")}[CURRENCY]

inbox = []


class App(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        inbox.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
threading.Thread(target=server.serve_forever, daemon=True).start()
CALLBACK = f"http://localhost:{server.server_port}/callback"


def mtnmomo_py():
    from mtnmomo import MoMoClient, MoMoConfig
    from mtnmomo.config import ProductCredentials

    account = ProductCredentials(SUBSCRIPTION, USER, KEY)
    c = MoMoClient(MoMoConfig(collection=account, disbursement=account, target_environment=ENVIRONMENT, base_url=BASE))

    def pay(payer, order):
        body = {"amount": "150", "currency": CURRENCY, "externalId": order, "payer": {"partyIdType": "MSISDN", "partyId": payer},
                "payerMessage": "coffee", "payeeNote": "till 4"}
        return c.collection.request_to_pay(body, callback_url=CALLBACK)

    def transfer(payee):
        body = {"amount": "12", "currency": CURRENCY, "externalId": "OUT-1", "payee": {"partyIdType": "MSISDN", "partyId": payee},
                "payerMessage": "thanks", "payeeNote": "prize"}
        reference = c.disbursement.transfer(body)
        return lambda: c.disbursement.get_transfer_status(reference).status

    return {
        "provision": lambda: c.sandbox.create_api_key(c.sandbox.create_api_user("localhost")),
        "pay": pay, "status": lambda r: c.collection.get_request_to_pay_status(r).status,
        "balance": lambda: c.collection.get_account_balance().available_balance,
        "holder": lambda: c.collection.validate_account_holder_status("msisdn", APPROVES),
        "transfer": transfer,
    }


def momo_openapi():
    from momo_openapi import Collection, Disbursement, MomoConfig

    config = MomoConfig(subscription_key=SUBSCRIPTION, user_id=USER, credential_token=KEY, target_environment=ENVIRONMENT,
                        base_url=BASE, callback_url=CALLBACK, currency=CURRENCY)
    c, d = Collection(config), Disbursement(config)

    def transfer(payee):
        reference = d.transfer("12", payee, "OUT-1", callback_url=None)
        return lambda: d.get_transaction_status(reference)["status"]

    return {
        "pay": lambda payer, order: c.request_to_pay("150", payer, order),
        "status": lambda r: c.get_transaction_status(r)["status"],
        "balance": lambda: c.get_balance()["availableBalance"], "transfer": transfer,
    }


def momoapi():
    from momoapi.collection import Collection
    from momoapi.disbursement import Disbursement

    config = {"ENVIRONMENT": ENVIRONMENT, "BASE_URL": BASE, "CALLBACK_HOST": "localhost"}
    for product in ("COLLECTION", "DISBURSEMENT"):
        config |= {product + "_PRIMARY_KEY": SUBSCRIPTION, product + "_USER_ID": USER, product + "_API_SECRET": KEY}
    c, d = Collection(config), Disbursement(config)
    # It takes numbers of MTN Uganda alone, and sends them as such.
    payers = {APPROVES: "0772123456"}

    def transfer(payee):
        reference = d.transfer("12", payers[payee], "OUT-1", currency=CURRENCY)["transaction_ref"]
        return lambda: d.getTransactionStatus(reference)["status"]

    return {
        "pay": lambda payer, order: c.requestToPay(payers[payer], "150", order, currency=CURRENCY, callback_url=CALLBACK)["transaction_ref"],
        "status": lambda r: c.getTransactionStatus(r)["status"],
        "balance": lambda: c.getBalance()["availableBalance"], "transfer": transfer,
    }


def mtnmomoapi():
    for product in ("COLLECTION", "DISBURSEMENT"):
        os.environ |= {product + "_PRIMARY_KEY": SUBSCRIPTION, product + "_USER_ID": USER, product + "_API_SECRET": KEY}
    os.environ |= {"MTN_ENVIRONMENT": ENVIRONMENT, "CALLBACK_URL": CALLBACK, "BASE_URL": BASE, "CURRENCY": CURRENCY}
    from mtnmomoapi.collection import Collection
    from mtnmomoapi.disbursement import Disbursement

    c = Collection()

    def pay(payer, order):
        answer = c.requestToPay("150", payer, order)
        assert answer["status_code"] == 202, answer
        return answer["ref"]

    return {
        "pay": pay, "status": lambda r: c.getTransactionStatus(r)["status"],
        "balance": lambda: c.getBalance()["availableBalance"],
        "transfer": lambda payee: Disbursement().transfer("12", payee, "OUT-1"),
    }


def until_ended(status):
    for _ in range(100):
        word = status()
        if word != "PENDING":
            return word
        time.sleep(0.1)
    return "PENDING"


def main():
    can = {"mtnmomo-py": mtnmomo_py, "momo-openapi": momo_openapi, "momoapi": momoapi, "mtnmomoapi": mtnmomoapi}[PACKAGE]()

    def pays(payer, word):
        reference = can["pay"](payer, "SDK-1")
        assert until_ended(lambda: can["status"](reference)) == word

    def called():
        for _ in range(50):
            if inbox:
                break
            time.sleep(0.1)
        assert inbox and inbox[0]["status"] == "SUCCESSFUL"

    def transfers():
        assert until_ended(can["transfer"](APPROVES)) == "SUCCESSFUL"

    def answers(what):
        assert can[what]()

    row, failed = [], False
    for what, try_it in {
        "provision": lambda: answers("provision"), "pay": lambda: pays(APPROVES, "SUCCESSFUL"), "callback": called,
        "decline": lambda: pays(DECLINES, "FAILED"), "balance": lambda: answers("balance"), "holder": lambda: answers("holder"),
        "transfer": transfers,
    }.items():
        try:
            try_it()
            row.append("yes")
        except KeyError:
            row.append("–")  # it has no such call
        except Exception as fault:
            print(f"{PACKAGE} on {PLATFORM}: {what}: {fault!r:.300}", file=sys.stderr)
            row.append("no")
    print(f"| `{PACKAGE}` | {PLATFORM} | " + " | ".join(row) + " |", flush=True)


# Some clients print as they go.
out, sys.stdout = sys.stdout, sys.stderr
_print = print


def print(*args, file=None, **more):
    _print(*args, file=file or out, **more)


main()
