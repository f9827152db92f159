// Command go is a receiver of callbacks that verifies them, to be copied from.
// It listens on 127.0.0.1:$PORT; /standard checks the Standard Webhooks
// signature, /legacy checks X-MoMo-Proxy-Signature. Use the first if you can:
// it covers the time too, so that a callback caught on its way cannot be
// played again later.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// verifyStandard returns the event's id (webhook-id), or "" if the callback is
// not genuine. body is the request's body as it came. Give both secrets while
// one is being replaced by another.
func verifyStandard(h http.Header, body []byte, secrets ...string) string {
	id, timestamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return ""
	}
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, given := range strings.Split(h.Get("webhook-signature"), " ") {
			if hmac.Equal([]byte(given), []byte(want)) {
				return id
			}
		}
	}
	return ""
}

// verifyLegacy says whether the callback was signed with one of your API keys.
func verifyLegacy(h http.Header, body []byte, apiKeys ...string) bool {
	for _, apiKey := range apiKeys {
		mac := hmac.New(sha256.New, []byte(apiKey))
		mac.Write(body)
		want := hex.EncodeToString(mac.Sum(nil))
		if apiKey != "" && hmac.Equal([]byte(h.Get("X-MoMo-Proxy-Signature")), []byte(want)) {
			return true
		}
	}
	return false
}

func main() {
	secrets := strings.Split(os.Getenv("SIGNING_SECRETS"), ",")
	apiKeys := strings.Split(os.Getenv("API_KEYS"), ",")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)) // before anything is parsed
		genuine := err == nil && (r.URL.Path == "/standard" && verifyStandard(r.Header, body, secrets...) != "" ||
			r.URL.Path == "/legacy" && verifyLegacy(r.Header, body, apiKeys...))
		if !genuine {
			http.Error(w, "not genuine", http.StatusForbidden)
			return
		}
		var event struct{ Event, ExternalID string }
		if err := json.Unmarshal(body, &event); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println("genuine:", event.Event, event.ExternalID) // here your app handles each webhook-id once
		// Answer 2xx within ten seconds.
		fmt.Fprintln(w, "thank you")
	})
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", l.Addr())
	log.Fatal(http.Serve(l, nil))
}
