package forwarder

// ReadDoorbell tells which event a doorbell's body names, for tools that look
// at dead letters.
func ReadDoorbell(body string) (reference string, sequence int, err error) {
	b, err := readDoorbell(body)
	return b.Reference, b.Sequence, err
}
