package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"momoproxy/shared/config"
	"momoproxy/shared/ledger"
)

// checkLiveFlags refuses what must not stand beside real money.
func checkLiveFlags(o options) error {
	switch {
	case !o.live:
		return nil
	case o.policy == config.Trust:
		return errors.New("-live does not go with -callback-policy trust: unsigned callbacks would be believed")
	case o.demo:
		return errors.New("-live does not go with -demo: the demo client's key is published")
	case o.data == ":memory:":
		return errors.New("-live does not go with -data :memory:: payments would be forgotten")
	}
	return nil
}

// checkFolder keeps a folder to one mode. Under -live it must not know the
// demo client. Once used with -live it is not taken without: a stand-in would
// be asked about real payments and know nothing of them.
func checkFolder(ctx context.Context, o options, l *ledger.Ledger) error {
	if o.data == ":memory:" {
		return nil
	}
	name := "live"
	if o.aws { // its tables are others than those of the folder
		name = "live-aws"
	}
	mark := filepath.Join(o.data, name)
	if !o.live {
		_, err := os.Stat(mark)
		if err == nil {
			return fmt.Errorf("folder %q holds real payments: start with -live, or give another folder with -data", o.data)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if _, err := l.Client(ctx, demoClientID); !errors.Is(err, ledger.ErrNotFound) {
		return errors.Join(fmt.Errorf("-live: the demo client %s is in folder %q: give a new folder with -data", demoClientID, o.data), err)
	}
	switch c, err := l.ClientByKey(ctx, demoKey, time.Now()); {
	case err == nil:
		return fmt.Errorf("-live: client %s has the published key %s", c.ID, demoKey)
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	}
	return os.WriteFile(mark, nil, 0o600)
}
