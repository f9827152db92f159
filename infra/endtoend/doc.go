// Package endtoend tests what is deployed, as it is deployed. Every function
// is built with the flags of the deployment and runs as a process of its own
// under a small Lambda Runtime API, in the environment that template.yaml
// gives it, over the DynamoDB and SQS engines of `make test`. The providers are
// their stand-ins over HTTP; a front turns HTTP requests into API Gateway's
// events.
//
// Two things are not as in AWS. Parameter Store is a stub in the test, because
// neither engine pair speaks it; it checks each request's signature. And the
// forwarder never delivers to this machine, which the tests prove of its
// binary; no variable can make it. Callbacks that arrive are sent by the same
// forwarder, built in the test's own process with loopback allowed.
package endtoend
