// Package telemetry is what the system tells about itself: JSON log lines, the
// metrics that are read off them, and the redaction that keeps secrets out of
// logs and of the audit records.
package telemetry

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// New returns a logger that writes one JSON object per line to w, of records
// at level and above, with every value redacted. The names timestamp, level
// and message are those that Lambda and CloudWatch Logs look for in JSON
// logs; inside a Lambda function lines logged with the invocation's context
// carry its requestId, and those of an API request its api_request. w gets one Write per line, one at a time.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(requestID{slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 {
				switch a.Key {
				case slog.TimeKey:
					if a.Value.Kind() == slog.KindTime {
						return slog.Time("timestamp", a.Value.Time().UTC())
					}
				case slog.LevelKey:
					if level, ok := a.Value.Any().(slog.Level); ok {
						return slog.String("level", level.String())
					}
				case slog.MessageKey:
					a.Key = "message"
				}
			}
			return RedactAttr(groups, a)
		},
	})})
}

// RedactAttr is for slog.HandlerOptions.ReplaceAttr. A value under a name, or
// in a group, that looks secret is hidden; texts and errors are redacted as
// Redact does; other values that are not plain are written as their redacted
// JSON.
func RedactAttr(groups []string, a slog.Attr) slog.Attr {
	for _, g := range groups {
		if secretName(g) {
			return slog.String(a.Key, redacted)
		}
	}
	if secretName(a.Key) && !a.Equal(slog.String(a.Key, "")) {
		return slog.String(a.Key, redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Redact(a.Value.String()))
	case slog.KindAny:
		return slog.Attr{Key: a.Key, Value: redactAny(a.Value.Any())}
	}
	return a
}

func redactAny(v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		return slog.StringValue(Redact(v.Error()))
	case []byte:
		return slog.StringValue(Redact(string(v)))
	case *slog.Source, embedded: // the latter holds names of ours alone
		return slog.AnyValue(v)
	case json.Marshaler, encoding.TextMarshaler:
	default:
		// Most of what is logged is a word of ours: a type that is a string.
		if word := reflect.ValueOf(v); word.Kind() == reflect.String {
			return slog.StringValue(Redact(word.String()))
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		// What JSON cannot show is shown by its type alone.
		return slog.StringValue(fmt.Sprintf("%T", v))
	}
	clean := Redact(string(text))
	if !json.Valid([]byte(clean)) { // it was cut
		return slog.StringValue(clean)
	}
	return slog.AnyValue(json.RawMessage(clean))
}

// requestKey is where WithRequest keeps its id.
type requestKey struct{}

// WithRequest makes every line that is logged with the context carry an API
// request's id, as API Gateway gave it, as api_request. Lambda's own requestId
// is of the invocation; the API's is also in the answer and the access log.
func WithRequest(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// requestID adds both request ids where the context has them.
type requestID struct{ slog.Handler }

func (h requestID) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	if id, ok := ctx.Value(requestKey{}).(string); ok {
		r.AddAttrs(slog.String("api_request", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h requestID) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestID{h.Handler.WithAttrs(attrs)}
}

func (h requestID) WithGroup(name string) slog.Handler {
	return requestID{h.Handler.WithGroup(name)}
}
