// Pays with the types that openapi-typescript makes, and openapi-fetch.
// usage: node pay.js URL
import createClient from "openapi-fetch";
import { randomUUID } from "node:crypto";
import type { components, paths } from "./api.js";

type Failure = components["schemas"]["Error"];

const KEY = "APP_CHANGE_THIS";
const url = process.argv[2];
const client = (key: string) => createClient<paths>({ baseUrl: url, headers: { "X-Proxy-Api-Key": key } });
const order = (amount: string, externalId: string): components["schemas"]["RequestToPay"] => ({
  amount, externalId, payer: { partyIdType: "MSISDN", partyId: "26876123456" },
});

function refused(status: number, answer: { response: Response; error?: Failure }): Failure {
  if (answer.response.status !== status || !answer.error) throw new Error(`${answer.response.status}, not ${status}`);
  return answer.error;
}

async function statusOf(referenceId: string) {
  const { data, error } = await app.GET("/status/{referenceId}", { params: { path: { referenceId } } });
  if (!data) throw new Error(error.error);
  return data;
}

const app = client(KEY), orderId = randomUUID();
const { data: started, error } = await app.POST("/request-to-pay", { body: order("1234567.89", orderId), params: { header: { "Idempotency-Key": orderId } } });
if (!started) throw new Error(error.error);
const path = { referenceId: started.referenceId };
let payment = await statusOf(started.referenceId);
while (payment.status === "PENDING" || payment.status === "ONGOING") {
  await new Promise((wake) => setTimeout(wake, 500));
  payment = await statusOf(started.referenceId);
}
const unauthorized = refused(401, await client("wrong").GET("/status/{referenceId}", { params: { path } }));
const unknown = refused(404, await app.GET("/status/{referenceId}", { params: { path: { referenceId: randomUUID() } } }));
const duplicate = refused(409, await app.POST("/request-to-pay", { body: order("1.00", orderId) }));
const invalid = refused(422, await app.POST("/request-to-pay", { body: order("0", randomUUID()) }));
if (duplicate.referenceId !== started.referenceId) throw new Error(`409 names ${duplicate.referenceId}`);
console.log(payment.status, payment.amount, payment.amountDecimal, unauthorized.code, unknown.code, duplicate.code, invalid.code, invalid.details?.[0].field);
