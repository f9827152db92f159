package simulation

import (
	"math"
	"math/rand/v2"
	"time"
)

// rates say how much goes wrong in one world. Most worlds have a few kinds of
// faults only: where everything fails, the interesting orders of events never
// come about.
type rates struct {
	span time.Duration // how long faults go on

	overlap float64 // a call takes time, in which others work
	long    float64 // of these, longer than a lease
	rush    float64 // what was to come later happens in the middle of a call
	yield   float64 // whoever else can go on at the same moment does so first
	crowd   bool    // many payments at once
	mtn     float64 // the share of payments with MTN
	factura float64 // and with Mom Factura
	kill    float64 // a function dies at a call

	read, writeBefore, writeAfter, throttle, lag float64 // table

	queueFails, messageLost, messageTwice, messageLate float64
	tickLost, tickTwice                                float64

	providerBefore, providerAfter, providerOdd, providerLate float64 // one exchange
	tokenFails                                               float64
	noConnection                                             float64
	slowBodies                                               float64 // of answers
	collisions                                               float64 // of the providers' ids
	statusLies                                               float64 // wrong amount, payer, currency, 404
	callbackLost, callbackTwice, callbackLate, callbackEarly float64
	forged                                                   float64 // events a minute

	appFails  float64
	rotations float64 // of an app's secret in the span
	operates  float64 // what an operator does in the span
	// selfService is what an app does in the span by itself, keyRotations how
	// often its API key is changed.
	selfService, keyRotations float64
	reads                     float64       // of its events, those soon after which an app reads their list
	refunds                   float64       // asked for of a payment with MTN, about
	refundFails               float64       // the sending of one
	skew                      time.Duration // how far clocks differ, and jump
	coldly                    float64       // an invocation meets a fresh instance
}

// drawRates makes a world.
func drawRates(rng *rand.Rand) rates {
	r := rates{
		span: []time.Duration{4 * time.Minute, 15 * time.Minute, 40 * time.Minute, 40 * time.Minute, 2 * time.Hour, 27 * time.Hour}[rng.IntN(6)],
	}
	// Each kind is off in half of the worlds, else somewhere up to most, the
	// smaller the likelier.
	knob := func(most float64) float64 {
		on, size := rng.IntN(2) == 1, rng.Float64()
		if !on {
			return 0
		}
		return most * math.Pow(size, 2)
	}
	r.overlap = knob(0.95)
	r.long = knob(0.2)
	r.rush = knob(0.5)
	if r.crowd = rng.IntN(25) == 0; r.crowd {
		r.overlap = max(r.overlap, 0.3) // or they never meet
	}
	r.mtn, r.factura = 0.4, 0.32
	if r.crowd { // until one provider's limits are spent
		if r.mtn, r.factura = 0.9, 0.06; rng.IntN(2) == 0 {
			r.mtn, r.factura = r.factura, r.mtn
		}
	}
	r.kill = knob(0.08)
	r.read, r.writeBefore, r.writeAfter, r.throttle = knob(0.15), knob(0.15), knob(0.15), knob(0.15)
	r.lag = knob(0.5)
	r.queueFails, r.messageLost, r.messageTwice, r.messageLate = knob(0.3), knob(0.7), knob(0.5), knob(0.5)
	r.tickLost, r.tickTwice = knob(0.6), knob(0.6)
	r.providerBefore, r.providerAfter, r.providerOdd, r.providerLate = knob(0.5), knob(0.5), knob(0.3), knob(0.4)
	r.tokenFails = knob(0.4)
	r.statusLies = knob(0.1)
	r.callbackLost, r.callbackTwice, r.callbackLate, r.callbackEarly = knob(1), knob(0.6), knob(0.6), knob(0.6)
	r.forged = knob(3)
	r.appFails = knob(1)
	if rng.IntN(4) == 0 {
		r.skew = time.Duration(rng.Int64N(int64(4 * time.Minute)))
	}
	r.coldly = 0.05 + knob(0.5)
	r.rotations = knob(4)
	r.slowBodies = knob(0.4)
	r.operates = knob(8)
	r.noConnection = knob(0.3)
	r.collisions = knob(0.5)
	r.yield = knob(0.9)
	r.selfService, r.keyRotations = knob(8), knob(3)
	r.reads = knob(1)
	if rng.IntN(2) == 0 {
		r.refunds = 0.5 + 1.5*rng.Float64()
		r.refundFails = max(0, rng.Float64()-0.3)
		if !r.crowd && rng.IntN(2) == 0 { // or they meet too little
			r.mtn, r.factura = 0.8, 0.1
		}
	}
	return r
}
