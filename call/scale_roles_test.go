//go:build linux || windows

package call_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/partywall/partywall/call"
)

const (
	scaleName = "scale"

	// manyCalls is how many calls are in flight.
	manyCalls = 1000

	nap = 100 * time.Millisecond // of a handler that is slow
)

// napped says how a handler that was slow ran.
type napped struct {
	N      uint64
	Inline uint64 // 1 if the worker that looks for requests ran it
	From   int64  // when it slept, as time.Time.UnixNano
	To     int64
}

var (
	echoM   = call.NewMethod[uint64, uint64]("echo")
	gatherM = call.NewMethod[uint64, uint64]("gather") // answers once manyCalls are there
	moodyM  = call.NewMethod[uint64, napped]("moody")  // slow if it is asked for 1
	dozyMs  [10]*call.Method[uint64, napped]           // slow from the first call on
)

func init() {
	for i := range dozyMs {
		dozyMs[i] = call.NewMethod[uint64, napped]("dozy." + strconv.Itoa(i))
	}
	call.RegisterRole("scale server", scaleServer)
	call.RegisterRole("scale idler", scaleIdler)
	call.RegisterRole("scale crowd", scaleCrowd)
}

// A gathering is the calls of gatherM that wait to be released.
type gathering struct {
	mu      sync.Mutex
	arrived int
	release chan struct{}
}

func (g *gathering) join() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.arrived++; g.arrived == manyCalls {
		fmt.Println("gathered")
	}
	return g.release
}

func (g *gathering) disperse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.release)
	g.arrived, g.release = 0, make(chan struct{})
}

// scaleServer serves until its standard input ends; a line there releases the
// calls that have gathered.
func scaleServer([]string) error {
	srv, err := call.Listen(scaleName, call.OnError(func(err error) { fmt.Fprintln(os.Stderr, err) }))
	if err != nil {
		return err
	}
	echoM.Handle(srv, func(_ context.Context, in *call.In[uint64], out *call.Out[uint64]) error {
		out.Result = in.Arg
		return nil
	})
	g := gathering{release: make(chan struct{})}
	gatherM.Handle(srv, func(ctx context.Context, in *call.In[uint64], out *call.Out[uint64]) error {
		out.Result = mix(in.Arg)
		select {
		case <-g.join():
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	doze := func(_ context.Context, in *call.In[uint64], out *call.Out[napped]) error {
		if in.Arg == 1 {
			out.Result.Inline = inWorker()
			out.Result.From = time.Now().UnixNano()
			time.Sleep(nap)
			out.Result.To = time.Now().UnixNano()
		}
		out.Result.N = in.Arg
		return nil
	}
	moodyM.Handle(srv, doze)
	for _, m := range dozyMs {
		m.Handle(srv, doze)
	}
	fmt.Println("serving")
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			g.disperse()
		}
		srv.Close()
	}()
	return srv.Serve(context.Background())
}

// inWorker returns 1 if the goroutine is one that looks for requests.
func inWorker() uint64 {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "call.(*worker).work") {
			return 1
		}
		if !more {
			return 0
		}
	}
}

// scaleIdler has conns that have been used and now are not: "open n" and "close"
// on its standard input say how many. "busy" makes it ask on all of them, without a pause, until they are closed.
func scaleIdler([]string) error {
	var conns []*call.Conn
	var asking sync.WaitGroup
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "close" {
			for _, c := range conns {
				c.Close()
			}
			asking.Wait()
			conns = nil
			fmt.Println("closed")
			continue
		}
		if lines.Text() == "busy" {
			for _, c := range conns {
				asking.Go(func() {
					for err := error(nil); err == nil; {
						_, err = echoM.Call(context.Background(), c, 1)
					}
				})
			}
			fmt.Println("asking")
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "open "))
		if err != nil {
			return err
		}
		for i := range uint64(n) {
			c, err := call.Dial(context.Background(), scaleName)
			if err != nil {
				return fmt.Errorf("conn %d: %w", i, err)
			}
			conns = append(conns, c)
			if got, err := echoM.Call(context.Background(), c, i); got != i || err != nil {
				return fmt.Errorf("conn %d: %d, %v", i, got, err)
			}
		}
		fmt.Println("opened")
	}
	return nil
}

// scaleCrowd has manyCalls in flight on one conn.
func scaleCrowd([]string) error {
	c, err := call.Dial(context.Background(), scaleName)
	if err != nil {
		return err
	}
	defer c.Close()
	errs := make([]error, manyCalls)
	var calls sync.WaitGroup
	for i := range uint64(manyCalls) {
		calls.Go(func() {
			if got, err := gatherM.Call(context.Background(), c, i); err != nil || got != mix(i) {
				errs[i] = fmt.Errorf("call %d: %d, %w", i, got, err)
			}
		})
	}
	calls.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Println("answered")
	bufio.NewScanner(os.Stdin).Scan() // stay to be looked at
	return nil
}
