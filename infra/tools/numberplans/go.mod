// The generator of shared/payment/number_plans.go, in a module of its own so
// that the product does not depend on the whole library.
module momoproxy/infra/tools/numberplans

go 1.26.0

require github.com/nyaruka/phonenumbers v1.8.1

require (
	golang.org/x/text v0.23.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
