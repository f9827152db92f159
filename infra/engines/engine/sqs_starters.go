package engine

// sqsStarters are the ways to get an SQS engine, best first.
var sqsStarters = []starter{elasticMQStarter, motoStarter}
