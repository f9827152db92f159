package console

import (
	"regexp"
	"strings"
)

// numberFields are the names that apps and providers have for a payer's
// number. A status that names another payer than was asked for names a person
// too.
var numberFields = regexp.MustCompile(`(?i)("(?:partyId|payer|msisdn|phone|phone_?number|mobile_?number|telefone|mobile)"\s*:\s*"?\+?)(\d{6,15})`)

// numberPaths are numbers in an address.
var numberPaths = regexp.MustCompile(`(?i)(/msisdn/\+?)(\d{6,15})`)

// masked hides payers' numbers in what was exchanged about a payment.
func (p Payment) masked(text string) string {
	text = numberFields.ReplaceAllStringFunc(text, func(found string) string {
		parts := numberFields.FindStringSubmatch(found)
		return parts[1] + maskNumber(parts[2])
	})
	text = numberPaths.ReplaceAllStringFunc(text, func(found string) string {
		parts := numberPaths.FindStringSubmatch(found)
		return parts[1] + maskNumber(parts[2])
	})
	if len(p.number) < 6 {
		return text
	}
	text = strings.ReplaceAll(text, p.number, maskNumber(p.number))
	// Some providers write the number without the country's code.
	if national := p.number[3:]; len(national) >= 8 {
		text = strings.ReplaceAll(text, national, maskNumber(national))
	}
	return text
}

// maskNumber leaves the first three digits and the last two.
func maskNumber(number string) string {
	if len(number) < 6 {
		return strings.Repeat("*", len(number))
	}
	return number[:3] + strings.Repeat("*", len(number)-5) + number[len(number)-2:]
}

// maskWords masks the values of a map.
func (p Payment) maskWords(words map[string]string) map[string]string {
	if len(words) == 0 {
		return nil
	}
	masked := make(map[string]string, len(words))
	for name, value := range words {
		masked[name] = p.masked(value)
	}
	return masked
}
