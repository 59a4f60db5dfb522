package instance

import (
	"context"
	"fmt"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// An Instance is this process, as the one that runs under a name. [Acquire] makes one. Its
// methods may be called concurrently.
type Instance struct {
	name   string
	server *call.Server
	offers chan offer
	served chan struct{} // closed when the server has returned

	ctx    context.Context // ends with Close, or with the server
	end    context.CancelCauseFunc
	closed sync.Once
}

// An offer is a launch that waits for a loop.
type offer struct {
	ctx    context.Context // the sender's patience
	launch Launch
	taken  chan bool // whether it was; has room for the answer
}

// listen becomes the first instance, if nobody is. The error wraps partywall.ErrRunning if
// somebody is.
func (c *config) listen(name string) (*Instance, error) {
	server, err := call.Listen(prefix+name, c.listenOptions()...)
	if err != nil {
		return nil, err
	}
	i := &Instance{name: name, server: server, offers: make(chan offer), served: make(chan struct{})}
	i.ctx, i.end = context.WithCancelCause(context.Background())
	deliver.Handle(server, i.receive)
	go func() {
		defer close(i.served)
		err := server.Serve(context.Background())
		i.end(fmt.Errorf("later launches cannot be received any more: %w", err)) // unless Close has been called
	}()
	return i, nil
}

func (c *config) listenOptions() []call.ListenOption {
	options := []call.ListenOption{call.Quota(quota)}
	if c.dir != "" {
		options = append(options, call.Dir(c.dir))
	}
	return options
}

// Name returns the name under which this process runs.
func (i *Instance) Name() string { return i.name }

// receive is the handler of a launch: it answers when a loop has it.
func (i *Instance) receive(ctx context.Context, in *call.In[message], out *call.Out[verdict]) error {
	launch, err := in.Arg.launch(in.Peer())
	if err != nil {
		return err
	}
	o := offer{ctx, launch, make(chan bool, 1)}
	if !confirmTaken {
		go func() { i.offers <- o }()
		out.Result.Outcome = taken
		return nil
	}
	for {
		// A process that was stopped finds requests whose senders have long given up.
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case i.offers <- o:
			if <-o.taken {
				out.Result.Outcome = taken
				return nil
			}
		case <-ctx.Done():
		case <-i.ctx.Done():
			out.Result.Outcome = ending
			return nil
		}
	}
}

// Launches yields what later processes hand over, until the context ends, the instance is
// closed, or the loop is left. It ends with an error: the context's, or [os.ErrClosed], or
// what ended the listening.
//
// A later process waits until the loop has its launch, and then ends in the belief that all
// is well: so the loop must not be long in coming back. A program whose work on a launch
// takes time gives it to another goroutine. While nobody is in the loop, launches wait, for as
// long as their senders are patient; leaving it and calling Launches again loses none. If several
// goroutines are in such loops, each launch goes to one of them.
func (i *Instance) Launches(ctx context.Context) iter.Seq2[Launch, error] {
	return func(yield func(Launch, error) bool) {
		for {
			launch, err := i.next(ctx)
			if err != nil {
				yield(Launch{}, fmt.Errorf("instance %q: %w", i.name, err))
				return
			}
			if !yield(launch, nil) {
				return
			}
		}
	}
}

// whenTaken is called with each launch before its sender is told that it was taken. Tests replace it.
var whenTaken = func(Launch) {}

// next waits for a launch, and confirms it.
func (i *Instance) next(ctx context.Context) (Launch, error) {
	for {
		switch {
		case ctx.Err() != nil:
			return Launch{}, context.Cause(ctx)
		case i.ctx.Err() != nil:
			return Launch{}, context.Cause(i.ctx)
		}
		select {
		case <-ctx.Done():
		case <-i.ctx.Done():
		case o := <-i.offers:
			if o.ctx.Err() != nil && confirmTaken {
				o.taken <- false
				continue
			}
			whenTaken(o.launch)
			o.taken <- true
			return o.launch, nil
		}
	}
}

// farewell is how long Close waits for senders to be told that nobody takes their launches. They
// need microseconds.
const farewell = 2 * time.Second

// Close gives the name back: the next process that starts becomes the first. A launch that
// was not taken stays with its sender, who then tries again and may become the first himself, at
// once: so Close comes when the files and windows that the next one needs are free.
// It is idempotent, and returns when the name is free. The end of the process does the same,
// however it comes.
func (i *Instance) Close() error {
	i.closed.Do(func() {
		i.end(os.ErrClosed)
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = i.server.Shutdown(ctx) // Close does what it leaves
		_ = i.server.Close()       // never fails
		<-i.served
	})
	return nil
}

// prefix begins the names of the services that instances are.
const prefix = "instance/"

// MaxName is the longest name, in bytes.
const MaxName = partywall.MaxName - len(prefix)

// checkName says what is wrong with a name, in terms of what the user has given.
func checkName(name string) error {
	if len(name) > MaxName {
		return fmt.Errorf("%w: %q... has %d bytes; at most %d are allowed for an instance", partywall.ErrName, name[:20], len(name), MaxName)
	}
	return partywall.CheckName(name)
}
