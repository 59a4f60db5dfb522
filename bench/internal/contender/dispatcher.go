package contender

import (
	"context"
	"sync"
)

// dispatcher is no way between processes, but the reference for many goroutines: they hand their
// requests to one worker in the same process, by a channel, and each waits on a channel of its own.
type dispatcher struct{}

func (dispatcher) local() {}

// Serve has nothing to do: the worker starts with Dial.
func (dispatcher) Serve(ctx context.Context, _ string, ready func(string)) error {
	ready("here")
	<-ctx.Done()
	return nil
}

// waiting is how many requests the worker's channel holds: as many as a partywall conn has slots.
const waiting = 1024

type job struct {
	arg, result []byte
	done        chan struct{}
}

func (dispatcher) Dial(context.Context, string) (Conn, error) {
	d := &dispatcherConn{jobs: make(chan *job, waiting)}
	d.worker.Go(func() {
		for j := range d.jobs {
			Answer(j.result, j.arg)
			j.done <- struct{}{}
		}
	})
	return d, nil
}

type dispatcherConn struct {
	jobs   chan *job
	worker sync.WaitGroup
}

func (d *dispatcherConn) Caller(int) (Caller, error) {
	j := &job{done: make(chan struct{}, 1)}
	return CallerFunc(func(_ context.Context, arg, result []byte) error {
		j.arg, j.result = arg, result
		d.jobs <- j
		<-j.done
		return nil
	}), nil
}

func (d *dispatcherConn) Close() error {
	close(d.jobs)
	d.worker.Wait()
	return nil
}
