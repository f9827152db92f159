package httpapi

import (
	"encoding/base64"
	"strings"
)

// MaxBody is the largest request body, in bytes after base64 decoding.
const MaxBody = 64 << 10

// bodyOf takes the body out of an event. API Gateway hands bodies that it
// does not take for text over in base64.
func bodyOf(r Request) ([]byte, *Response) {
	if r.IsBase64Encoded {
		if base64.StdEncoding.DecodedLen(len(r.Body)) > MaxBody+3 {
			return nil, tooLarge()
		}
		b, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			resp := problem(400, "malformed_json", "The body could not be decoded.")
			return nil, &resp
		}
		if len(b) > MaxBody {
			return nil, tooLarge()
		}
		return b, nil
	}
	if len(r.Body) > MaxBody {
		return nil, tooLarge()
	}
	return []byte(r.Body), nil
}

func tooLarge() *Response {
	resp := problem(413, "body_too_large", "The body is larger than 64 KiB.")
	return &resp
}

// isJSON accepts application/json in any spelling and with any parameters, and
// no header at all. Clients send "application/json; utf-8", and the header
// twice, which arrives joined by a comma.
func isJSON(r Request) bool {
	ct := header(r, "content-type")
	if ct == "" {
		return true
	}
	for _, one := range strings.Split(ct, ",") {
		media, _, _ := strings.Cut(one, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		if media != "application/json" && !(strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
			return false
		}
	}
	return true
}

func notJSON() Response {
	return problem(415, "unsupported_content_type", "Send the body as Content-Type: application/json.")
}

// header reads a header. API Gateway lower-cases names and joins repeated
// headers with commas; sample events and other callers may not.
func header(r Request, name string) string {
	v, _ := headerOf(r, name)
	return v
}

// headerOf also says whether the header is there.
func headerOf(r Request, name string) (string, bool) {
	if v, ok := r.Headers[name]; ok {
		return v, true
	}
	for k, v := range r.Headers {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}
