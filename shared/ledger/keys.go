package ledger

import (
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

// The indexes of the main table.
const (
	// IndexDue is sparse: payments with a next check and deliveries with a
	// next attempt, by the time they are due.
	IndexDue = "due"
	// IndexList lists a client's payments, a client's events, and all clients,
	// by creation time.
	IndexList = "list"
	// IndexAttention is sparse and the operator's inbox: what does not go on
	// by itself, or not well: one partition, ordered by the Attention kinds, so
	// that one query reads an inbox of up to a thousand entries. One DynamoDB
	// partition takes 1,000 writes a second. An endpoint that dies under more
	// events than that is throttled, and the events come again from the queue.
	IndexAttention = "attention"
	// IndexPayer lists the payments of a phone number, of all clients, by
	// creation time. Its partition is a keyed hash of the number: the
	// table alone does not let anybody look a number up.
	IndexPayer = "payer"
	// IndexTransaction finds a payment by the provider's id of the moved
	// money. Providers promise nothing about it: two payments may have one.
	IndexTransaction = "transaction"
)

// DueShards spreads the due index: one DynamoDB partition takes 1,000 writes
// a second, and every payment enters and leaves this index.
const DueShards = 4

const timeLayout = "2006-01-02T15:04:05.000Z"

// timeKey is t in timeLayout, without the milliseconds in the standard layout
// that the time package writes four times as fast.
func timeKey(t time.Time) string {
	var room [len(timeLayout)]byte
	t = t.UTC()
	ms := t.Nanosecond() / int(time.Millisecond)
	b := t.AppendFormat(room[:0], time.RFC3339)
	return string(append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z'))
}

// readTimeKey reads what timeKey wrote, by the standard layout for the same
// reason.
func readTimeKey(s string) (time.Time, error) {
	if len(s) != len(timeLayout) || s[len(s)-1] != 'Z' || s[19] != '.' {
		return time.Parse(timeLayout, s) // which says what is wrong
	}
	return time.Parse(time.RFC3339, s)
}

// number6 writes a sequence so that sequences sort as texts do.
func number6(sequence int) string {
	digits := strconv.Itoa(sequence)
	return "000000"[min(len(digits), 6):] + digits
}

// A payment and its deliveries share a partition: one query reads both.
func paymentPartition(reference string) string { return "payment#" + reference }

func paymentKey(reference string) table.Key {
	return table.Key{Space: table.Main, Partition: paymentPartition(reference), Sort: "payment"}
}

// Refunds follow "payment", and "request" follows them: a query meets the
// payment first.
const refundPrefix = "refund#"

func refundKey(reference, id string) table.Key {
	return table.Key{Space: table.Main, Partition: paymentPartition(reference), Sort: refundPrefix + id}
}

// refundDayKey is where an app's refunds of a day in a currency are summed up.
func refundDayKey(clientID string, day time.Time, currency string) table.Key {
	return table.Key{Space: table.Main, Partition: "refunds#" + clientID, Sort: day.UTC().Format(time.DateOnly) + "#" + currency}
}

// dueRefunds is the due partition of refunds. They are few: one is enough, and
// one query reads it.
const dueRefunds = "due#refunds"

func dueRefund(clientID string, at time.Time) table.IndexKey {
	return table.IndexKey{Partition: dueRefunds, Sort: refundPrefix + timeKey(at) + "#" + clientID}
}

const requestSort = "request"

func requestKey(reference string) table.Key {
	return table.Key{Space: table.Main, Partition: paymentPartition(reference), Sort: requestSort}
}

// usedKey is where a reference stays used when its payment has expired.
func usedKey(reference string) table.Key {
	return table.Key{Space: table.Main, Partition: paymentPartition(reference), Sort: "used"}
}

const deliveryPrefix = "delivery#"

func deliveryKey(reference string, sequence int) table.Key {
	return table.Key{Space: table.Main, Partition: paymentPartition(reference), Sort: deliveryPrefix + number6(sequence)}
}

// An external id's partition holds one lock per client, so that the bare
// callback of the contract can be matched over clients with one query.
func lockPartition(externalID string) string { return "external#" + externalID }

func lockKey(clientID, externalID string) table.Key {
	return table.Key{Space: table.Main, Partition: lockPartition(externalID), Sort: "client#" + clientID}
}

const clientPrefix = "client#"

func clientKey(id string) table.Key {
	return table.Key{Space: table.Main, Partition: clientPrefix + id, Sort: "client"}
}

func apiKeyKey(hash string) table.Key {
	return table.Key{Space: table.Main, Partition: "key#" + hash, Sort: "key"}
}

func tokenKey(id string) table.Key {
	return table.Key{Space: table.Main, Partition: "token#" + id, Sort: "token"}
}

func auditKey(partition string, at time.Time, id string) table.Key {
	return table.Key{Space: table.Audit, Partition: partition, Sort: timeKey(at) + "#" + id}
}

// Audit records that belong to no payment and no client are collected by the
// hour: callbacks that match nothing, and our token calls to the provider.
func unmatchedPartition(at time.Time) string { return "unmatched#" + hour(at) }
func providerPartition(at time.Time) string  { return "provider#" + hour(at) }

// unmatchedKey is beside the audit record of a hint that matches nothing.
func unmatchedKey(audit table.Key) table.Key {
	return table.Key{Space: table.Main, Partition: audit.Partition, Sort: audit.Sort}
}

func hour(at time.Time) string { return at.UTC().Format("2006-01-02T15") }

// listPartition is that of a client's payments in the list index.
func listPartition(clientID string) string { return clientPrefix + clientID }

func listEntry(clientID string, created time.Time, reference string) table.IndexKey {
	return table.IndexKey{Partition: listPartition(clientID), Sort: timeKey(created) + "#" + reference}
}

func payerEntry(hash string, created time.Time) table.IndexKey {
	return table.IndexKey{Partition: hash, Sort: timeKey(created)}
}

func transactionEntry(id, reference string) table.IndexKey {
	return table.IndexKey{Partition: id, Sort: reference}
}

// eventEntry lists a client's events in the order in which they came about.
func eventEntry(d delivery.Delivery) table.IndexKey {
	return table.IndexKey{
		Partition: eventsPartition(d.ClientID),
		Sort:      timeKey(d.CreatedAt) + "#" + d.Reference + "#" + number6(d.Sequence),
	}
}

func eventsPartition(clientID string) string { return "events#" + clientID }

// clientsPartition is that of all clients in the list index.
const clientsPartition = "clients"

func clientEntry(id string, created time.Time) table.IndexKey {
	return table.IndexKey{Partition: clientsPartition, Sort: timeKey(created) + "#" + id}
}

// DueKind is a kind of work in the due index.
type DueKind string

const (
	DueDelivery DueKind = "delivery"
	DuePayment  DueKind = "payment"
)

func duePartition(shard int) string { return "due#" + strconv.Itoa(shard) }

// dueEntry names the client too: the sweeper rings without reading records.
// The record's own key has the rest. The kinds stand apart in a partition, so
// that one query can read both or one of them.
func dueEntry(kind DueKind, reference, clientID string, at time.Time) table.IndexKey {
	return table.IndexKey{
		Partition: duePartition(shardOf(reference)),
		Sort:      string(kind) + "#" + timeKey(at) + "#" + clientID,
	}
}

// AttentionKind is a kind of entry in IndexAttention.
type AttentionKind string

const attentionPartition = "attention"

// ofKind is a query for the entries of a kind from one sort key to before
// another; empty: unbounded.
func ofKind(k AttentionKind, from, to string) table.Query {
	q := table.Query{Index: IndexAttention, Partition: attentionPartition, From: string(k) + "#" + from, To: string(k) + "#" + to}
	if to == "" {
		q.To = string(k) + "$" // the byte after #
	}
	return q
}

const (
	// AttentionPayment: payments that are held or whose outcome is unknown.
	AttentionPayment AttentionKind = "payment"
	// AttentionExhausted: deliveries whose every attempt failed.
	AttentionExhausted AttentionKind = "exhausted"
	// AttentionHeld: deliveries that are held.
	AttentionHeld AttentionKind = "held"
	// AttentionEndpoint: unhealthy endpoints that the sweeper maintains: their
	// circuit is open, or they are being drained.
	AttentionEndpoint AttentionKind = "endpoint"
	// AttentionDisabled: endpoints that are disabled. They are apart, since
	// only an operator has something to do about them: an app that gives each
	// payment a host of its own can leave any number behind.
	AttentionDisabled AttentionKind = "disabled"
	// AttentionRefund: refunds whose outcome is unknown, and those that do not end.
	AttentionRefund AttentionKind = "refund"
)

func attentionRefund(at time.Time, clientID, reference, id string) table.IndexKey {
	return Attention{Kind: AttentionRefund, At: at, ClientID: clientID, Reference: reference, RefundID: id}.entry()
}

const originPrefix = "origin#"

// A client's endpoints are apart from its own record: the functions write the
// first and never the second.
func endpointPartition(clientID string) string { return "endpoint#" + clientID }

func endpointKey(clientID, origin string) table.Key {
	return table.Key{Space: table.Main, Partition: endpointPartition(clientID), Sort: originPrefix + origin}
}

// dueDelivery also says since when the event is undelivered, so that a count of the backlog
// learns that without reading records. One that has ended, and was only asked
// for again, is that since then.
func dueDelivery(d delivery.Delivery) table.IndexKey {
	e := dueEntry(DueDelivery, d.Reference, d.ClientID, d.DueAt())
	since := d.CreatedAt
	if d.State.Parked() {
		since = d.RequestedAt
	}
	e.Sort += "#" + timeKey(since)
	return e
}

// shardOf spreads by the reference, which is random.
func shardOf(reference string) int {
	if reference == "" {
		return 0
	}
	return int(reference[0]) % DueShards
}

// referenceOf reads the reference back from a payment partition.
func referenceOf(partition string) string { return strings.TrimPrefix(partition, "payment#") }
