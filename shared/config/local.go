package config

// LocalSecret is the SecretID of an account whose credentials are in the
// environment itself.
const LocalSecret = "local"

// localVariables are the contract's variables of each account, by the
// variable that names its secret when deployed.
var localVariables = map[string][]string{
	"MTN_SECRET_ID":        {"MTN_BASE_URL", "MTN_TARGET_ENV", "MTN_CURRENCY", "MTN_STATUS_PER_SECOND", "MTN_API_USER", "MTN_API_KEY", "MTN_SUBSCRIPTION_KEY"},
	"MOMFACTURA_SECRET_ID": {"MOMFACTURA_BASE_URL", "MOMFACTURA_TEST_MODE", "MOMFACTURA_API_KEY", "MOMFACTURA_WEBHOOK_TOKEN"},
	"MOMENTPAY_SECRET_ID":  {"MOMENTPAY_BASE_URL", "MOMENTPAY_SECRET_KEY", "MOMENTPAY_WEBHOOK_SECRETS"},
}

// Local is getenv for a program on one machine. Its environment holds the
// credentials under the contract's names, and no secret's name. An account is
// configured when any of its variables is set; Read then says what is missing.
func Local(getenv func(string) string) func(string) string {
	return func(name string) string {
		own, ok := localVariables[name]
		if !ok {
			return getenv(name)
		}
		for _, variable := range own {
			if getenv(variable) != "" {
				return LocalSecret
			}
		}
		return ""
	}
}

// LocalAccounts says whether the environment of Local configures any account.
func LocalAccounts(getenv func(string) string) bool {
	getenv = Local(getenv)
	for secret := range localVariables {
		if getenv(secret) != "" {
			return true
		}
	}
	return false
}
