package engine

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// dynamoDBMotoStarter runs moto with one request at a time: its transactions
// copy all tables and put the copies back when they fail, which undoes what
// other requests wrote meanwhile.
var dynamoDBMotoStarter = starter{name: motoStarter.name, needs: motoStarter.needs, start: startDynamoDBMoto}

func startDynamoDBMoto(ctx context.Context) (Engine, error) {
	moto, err := motoStarter.start(ctx)
	if err != nil {
		return Engine{}, err
	}
	target, err := url.Parse(moto.Endpoint)
	if err != nil {
		moto.Stop()
		return Engine{}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		moto.Stop()
		return Engine{}, err
	}
	server := &http.Server{Handler: oneByOne(httputil.NewSingleHostReverseProxy(target))}
	go func() { _ = server.Serve(listener) }()
	return Engine{
		Name:     moto.Name + ", one request at a time",
		Endpoint: "http://" + listener.Addr().String(),
		Stop: sync.OnceFunc(func() {
			_ = server.Close()
			moto.Stop()
		}),
	}, nil
}

func oneByOne(h http.Handler) http.Handler {
	var turn sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		h.ServeHTTP(w, r)
	})
}
