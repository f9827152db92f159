// A receiver of callbacks that verifies them, to be copied from. Run it with
//   SIGNING_SECRETS=whsec_... API_KEYS=... PORT=9000 node receiver.js
// /standard checks the Standard Webhooks signature, /legacy checks
// X-MoMo-Proxy-Signature. Use the first if you can: it covers the time too, so
// that a callback caught on its way cannot be played again later.
"use strict";
const crypto = require("node:crypto");
const http = require("node:http");

const equal = (a, b) => {
  const x = Buffer.from(a), y = Buffer.from(b);
  return x.length === y.length && crypto.timingSafeEqual(x, y);
};

// Returns the event's id (webhook-id), or null if the callback is not genuine.
// body is a Buffer: the request's body as it came. Give both secrets while one
// is being replaced by another.
function verifyStandard(headers, body, secrets) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (id === "" || !/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return null;
  for (const secret of secrets) {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    if (key.length === 0) continue;
    const want = "v1," + crypto.createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
    for (const given of (headers["webhook-signature"] ?? "").split(" ")) {
      if (equal(given, want)) return id;
    }
  }
  return null;
}

// Says whether the callback was signed with one of your API keys.
function verifyLegacy(headers, body, apiKeys) {
  return apiKeys.some((apiKey) => apiKey !== "" &&
    equal(headers["x-momo-proxy-signature"] ?? "", crypto.createHmac("sha256", apiKey).update(body).digest("hex")));
}

const list = (name) => (process.env[name] ?? "").split(",");
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks); // before anything is parsed
    const genuine = request.url === "/standard" ? verifyStandard(request.headers, body, list("SIGNING_SECRETS")) !== null
      : request.url === "/legacy" && verifyLegacy(request.headers, body, list("API_KEYS"));
    if (genuine) {
      const event = JSON.parse(body);
      console.log("genuine: %s %s", event.event, event.externalId); // here your app handles each webhook-id once
    }
    // Answer 2xx within ten seconds.
    response.writeHead(genuine ? 200 : 403).end(genuine ? "thank you\n" : "not genuine\n");
  });
});
server.listen(Number(process.env.PORT ?? 9000), "127.0.0.1", () => console.log("listening on 127.0.0.1:" + server.address().port));
