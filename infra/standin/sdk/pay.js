// Takes payments through the stand-in with the mtn-momo package as published,
// told nothing but the base URL: provisioning, token, request to pay, status,
// callback. Exits 1 when anything is not as MTN would have it.
"use strict";
const assert = require("assert");
const http = require("http");
const momo = require("mtn-momo");

const baseUrl = process.argv[2];
const primaryKey = process.argv[3] || "5b1e0000000000000000000000000000";
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
  assert(baseUrl, "usage: node pay.js BASE_URL [SUBSCRIPTION_KEY]");
  const inbox = [];
  const app = http.createServer((req, res) => {
    let body = "";
    req.on("data", (d) => (body += d));
    req.on("end", () => { inbox.push({ method: req.method, body: JSON.parse(body) }); res.end(); });
  });
  await new Promise((ready) => app.listen(0, "127.0.0.1", ready));

  const { Users, Collections } = momo.create({ callbackHost: "localhost", baseUrl });
  const users = Users({ primaryKey });
  const userId = await users.create("localhost");
  const { apiKey } = await users.login(userId);
  console.log("provisioned API user", userId);

  const collections = Collections({ userId, userSecret: apiKey, primaryKey });
  console.log("payer active:", await collections.isPayerActive("46733999999"));
  const ask = (partyId) => collections.requestToPay({
    amount: "150.00", currency: "EUR", externalId: "SDK-1",
    payer: { partyIdType: momo.PayerType.MSISDN, partyId },
    payerMessage: "coffee", payeeNote: "till 4",
    callbackUrl: `http://localhost:${app.address().port}/callback`,
  });

  const paid = await ask("46733999999");
  console.log("asked:", paid, (await collections.getTransaction(paid)).status);
  let state;
  for (let i = 0; i < 50; i++) {
    state = await collections.getTransaction(paid);
    if (state.status !== "PENDING") break;
    await wait(200);
  }
  console.log("status:", JSON.stringify(state));
  assert.strictEqual(state.status, "SUCCESSFUL");
  assert.strictEqual(state.amount, "150");

  const refused = await ask("46733123451");
  await wait(1500);
  await assert.rejects(collections.getTransaction(refused), momo.ApprovalRejectedError);
  console.log("rejected payer: ApprovalRejectedError");

  await assert.rejects(ask("46733123460"), momo.InvalidCurrencyError);
  console.log("refused payer: InvalidCurrencyError");
  await assert.rejects(collections.getTransaction("99999999-9999-4999-8999-999999999999"), momo.ResourceNotFoundError);
  console.log("unknown reference: ResourceNotFoundError");
  console.log("balance:", JSON.stringify(await collections.getBalance()));

  const disbursements = momo.create({ callbackHost: "localhost", baseUrl }).Disbursements({ userId, userSecret: apiKey, primaryKey });
  const transfer = await disbursements.transfer({
    amount: "12.50", currency: "EUR", externalId: "SDK-2",
    payee: { partyIdType: momo.PayerType.MSISDN, partyId: "46733999999" },
    payerMessage: "thanks", payeeNote: "prize",
  });
  await wait(1500);
  console.log("transfer:", (await disbursements.getTransaction(transfer)).status);
  await assert.rejects(disbursements.transfer({
    amount: "1", currency: "EUR", externalId: "SDK-3", payee: { partyIdType: momo.PayerType.MSISDN, partyId: "46733123458" },
  }), momo.NotAllowedError);
  console.log("refused payee: NotAllowedError");
  console.log("float:", JSON.stringify(await disbursements.getBalance()));

  for (let i = 0; i < 50 && inbox.length < 2; i++) await wait(100);
  console.log("callbacks:", inbox.map((c) => c.method + " " + c.body.status).join(", "));
  assert.deepStrictEqual(inbox.map((c) => c.body.status), ["SUCCESSFUL", "FAILED"]);
  app.close();
}

main().then(() => console.log("| `mtn-momo` | sandbox | yes | yes | yes | yes | yes | yes | yes |"), (err) => { console.error(err); process.exit(1); });
