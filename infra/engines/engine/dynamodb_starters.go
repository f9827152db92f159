package engine

// dynamoDBStarters are the ways to get a DynamoDB engine, best first.
var dynamoDBStarters = []starter{dynamoDBLocalStarter, dynamoDBMotoStarter}
