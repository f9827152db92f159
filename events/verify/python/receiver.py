"""A receiver of callbacks that verifies them, to be copied from. Run it with

    SIGNING_SECRETS=whsec_... API_KEYS=... PORT=9000 python3 receiver.py

/standard checks the Standard Webhooks signature, /legacy checks
X-MoMo-Proxy-Signature. Use the first if you can: it covers the time too, so
that a callback caught on its way cannot be played again later.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def verify_standard(headers, body, secrets):
    """Returns the event's id (webhook-id), or None if the callback is not genuine.

    body is the request's body as it came. Give both secrets while one is being
    replaced by another.
    """
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not event_id or not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > 300:
        return None
    for secret in secrets:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            continue
        if not key:
            continue
        signed = f"{event_id}.{timestamp}.".encode() + body
        want = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        for given in headers.get("webhook-signature", "").split(" "):
            if hmac.compare_digest(given.encode("utf-8", "replace"), want):
                return event_id
    return None


def verify_legacy(headers, body, api_keys):
    """Says whether the callback was signed with one of your API keys."""
    given = headers.get("X-MoMo-Proxy-Signature", "").encode("utf-8", "replace")
    return any(
        key and hmac.compare_digest(given, hmac.digest(key.encode(), body, hashlib.sha256).hex().encode())
        for key in api_keys
    )


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))  # before anything is parsed
        if self.path == "/standard":
            genuine = verify_standard(self.headers, body, os.environ.get("SIGNING_SECRETS", "").split(",")) is not None
        else:
            genuine = self.path == "/legacy" and verify_legacy(self.headers, body, os.environ.get("API_KEYS", "").split(","))
        if genuine:
            event = json.loads(body)
            print("genuine:", event.get("event"), event.get("externalId"), flush=True)  # here your app handles each webhook-id once
        # Answer 2xx within ten seconds.
        self.send_response(200 if genuine else 403)
        self.end_headers()
        self.wfile.write(b"thank you\n" if genuine else b"not genuine\n")


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver)
    print("listening on 127.0.0.1:%d" % server.server_port, flush=True)
    server.serve_forever()
