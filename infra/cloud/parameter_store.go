package cloud

import (
	"encoding/json"
	"io"
	"net/http"
)

// GetParameters is Parameter Store's call of that name, as X-Amz-Target has
// it.
const GetParameters = "AmazonSSM.GetParameters"

// Parameters are Parameter Store's SecureStrings, by name.
type Parameters map[string]string

// ServeHTTP answers GetParameters. It judges neither signature nor target.
func (p Parameters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type parameter struct{ Name, Type, Value string }
	var request struct{ Names []string }
	answer := struct {
		Parameters        []parameter
		InvalidParameters []string
	}{Parameters: []parameter{}, InvalidParameters: []string{}}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, name := range request.Names {
		if value, ok := p[name]; ok {
			answer.Parameters = append(answer.Parameters, parameter{name, "SecureString", value})
		} else {
			answer.InvalidParameters = append(answer.InvalidParameters, name)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(answer) // whoever is gone asks no more
}
