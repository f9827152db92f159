package mtn

import "momoproxy/shared/provider"

// Offline is MTN without an account, for tools that settle payments by hand.
func Offline() provider.Provider {
	return provider.Offline{Known: provider.Capabilities{
		Name: Name, Methods: methods, Statuses: statuses(DefaultStatusPerSecond),
	}}
}
