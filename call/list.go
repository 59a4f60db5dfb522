package call

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// A Listing is a service that [List] has found.
type Listing struct {
	Description       // only Service is set if Err is
	Err         error // why the service does not describe itself: it is stopped, or speaks another version
}

// listPatience is how long List waits for each service.
const listPatience = 2 * time.Second

// List returns the services of this user that are alive, in the order of their names:
// it asks each what it is. One that does not answer within two seconds, or not before
// the context ends, is listed with an error. Of the options, [Dir], [Group] and
// [AnySession] matter.
func List(ctx context.Context, options ...DialOption) ([]Listing, error) {
	var config dialConfig
	for _, o := range options {
		o.dial(&config)
	}
	names, err := rendezvous.Names(config.place)
	if err != nil {
		return nil, err
	}
	const atOnce = 16
	var asking sync.WaitGroup
	all, turn := make([]Listing, len(names)), make(chan struct{}, atOnce)
	for i, name := range names {
		asking.Go(func() {
			turn <- struct{}{}
			all[i] = ask(ctx, name, option(func(s *shared) { s.place = config.place }))
			<-turn
		})
	}
	asking.Wait()
	alive := all[:0]
	for _, l := range all {
		if !over(l.Err) {
			alive = append(alive, l)
		}
	}
	return alive, nil
}

// over reports whether a service that does not answer has ended.
func over(err error) bool {
	return errors.Is(err, partywall.ErrNotFound) || errors.Is(err, partywall.ErrPeerGone) || errors.Is(err, partywall.ErrShutdown)
}

func ask(ctx context.Context, name string, where DialOption) Listing {
	l := Listing{Description: Description{Service: name}}
	bound, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	c, err := Dial(bound, name, where)
	if err == nil {
		defer c.Close()
		l.Description, err = c.Describe(bound)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("service %q does not answer: %w", name, os.ErrDeadlineExceeded)
	}
	if l.Err = err; err != nil {
		l.Description = Description{Service: name}
	}
	return l
}
