package mtn

// Classify is the door for the table test of transport errors.
var Classify = classify

// TokenID is the id under which a configuration's token is stored.
func TokenID(c Config) string { return c.withDefaults().tokenID() }
