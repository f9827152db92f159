package assembly

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/config"
	"momoproxy/shared/provider"
)

// Main is the whole of a function: it builds its parts from the environment,
// and its handler from those, and serves. A function that cannot be built ends
// with the reason, so that no request meets it.
func Main[Handler any](needs config.Needs, handler func(Parts) (Handler, error), providers ...provider.Registration) {
	parts, err := FromEnvironment(needs, providers...)
	if err != nil {
		log.Fatal(err)
	}
	h, err := handler(parts)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(h)
}
