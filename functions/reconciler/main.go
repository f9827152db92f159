// Command reconciler is the Lambda function on a one-minute schedule: it asks
// providers about open payments and refunds, sends refunds, enqueues overdue deliveries again, probes
// endpoints that do not answer, and releases what was held for those that
// recovered. Each run ends with its heartbeat.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Provider|config.Payouts, func(p assembly.Parts) (assembly.Asking, error) {
		gateway, err := payments.Gateway(p)
		if err != nil {
			return nil, err
		}
		refunds, err := payments.Refunds(p)
		return assembly.Asked(payments.Scheduled(p.Sweeper(), gateway, refunds, p.Beat)), err
	}, providers.All()...)
}
