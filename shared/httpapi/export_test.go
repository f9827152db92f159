package httpapi

// ReadRequest is what the fuzz target reads bodies with.
var ReadRequest = readRequest
