package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/compare"
	"github.com/partywall/partywall/examples/compare/trace"
	"github.com/partywall/partywall/examples/echo"
)

// example is a service that the command can serve.
type example struct {
	name    string
	short   string
	service string
	handle  func(*call.Server)
	quota   int64
}

var examples = []example{
	{"compare", "compares images", compare.Service, compare.Handle, compare.Quota},
	{"echo", "to try things out on", echo.Service, echo.Handle, call.DefaultQuota},
}

func findExample(name string) (example, bool) {
	for _, e := range examples {
		if e.name == name {
			return e, true
		}
	}
	return example{}, false
}

// leavePatience is how long calls that run when the server is told to end may go on.
// Tests shorten it.
var leavePatience = 5 * time.Second

// askPatience is how long another process may take to say who it is.
const askPatience = 2 * time.Second

// serving is one run of serve.
type serving struct {
	service string
	quota   byteCount
	log     bool
	asJSON  bool
}

func newServeExample() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve echo|compare",
		Short: "Serve an example, for other programs to call",
		Long: `Serve one of the examples until SIGINT (Ctrl-C) or SIGTERM. What it can do is
told by "partywall ls -l" while it runs.

  echo     methods to try things out on: each carries its values in another way
  compare  compares two images, as "partywall demo" has them compared

When clients can dial, it prints one line to standard output: the service and its
process id. With --json that is one line of JSON, with the names of the methods.
With --log it writes a line to standard error for each call, with the id that a
client gives it as the metadata "request-id".

At its end it takes no more calls, and those that run have 5 seconds until their
contexts end. The name is free as soon as the process is gone, however it went.`,
		Example: `  partywall serve echo
  partywall serve compare --quota 4GiB --log
  partywall serve echo --name test/echo --json &`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(cmd, "one example is needed, %s; %d given", exampleNames(), len(args))
			}
			if _, ok := findExample(args[0]); !ok {
				return usagef(cmd, "unknown example %q; there are %s", args[0], exampleNames())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args[0]) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var offers []string
			for _, e := range examples {
				if len(args) == 0 {
					offers = append(offers, cobra.CompletionWithDesc(e.name, e.short))
				}
			}
			return offers, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.service, "name", "", "serve under this `name`, not the example's own")
	f.Var(&s.quota, "quota", "how many `bytes` of bodies each client may lend, such as 64MiB (default: the example's own)")
	f.BoolVar(&s.log, "log", false, "write a line to standard error for each call")
	f.BoolVar(&s.asJSON, "json", false, "print one JSON object when it serves, in one line")
	return cmd
}

func exampleNames() string {
	var names []string
	for _, e := range examples {
		names = append(names, e.name)
	}
	return strings.Join(names, " or ")
}

func (s *serving) run(cmd *cobra.Command, name string) error {
	e, _ := findExample(name)
	if !cmd.Flags().Changed("name") {
		s.service = e.service
	} else if err := partywall.CheckName(s.service); err != nil {
		return usagef(cmd, "--name: %w", err)
	}
	if s.quota == 0 {
		s.quota = byteCount(e.quota)
	}
	srv, err := call.Listen(s.service, s.options(cmd.ErrOrStderr())...)
	if errors.Is(err, partywall.ErrRunning) {
		return s.alreadyRunning(cmd.Context())
	}
	if err != nil {
		return err
	}
	e.handle(srv)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background()) }()
	if err := s.announce(cmd); err != nil {
		srv.Close()
		if cmd.Context().Err() != nil {
			return <-served // it was told to end before anybody knew of it
		}
		return errors.Join(err, <-served)
	}
	select {
	case err := <-served:
		return err
	case <-cmd.Context().Done():
		leave(srv)
		return <-served
	}
}

func (s *serving) options(stderr io.Writer) []call.ListenOption {
	options := []call.ListenOption{call.Quota(int64(s.quota))}
	if s.log {
		logger := slog.New(slog.NewTextHandler(stderr, nil))
		options = append(options,
			call.Intercept(trace.Server(logger)),
			call.OnError(func(err error) { logger.Warn("client failed", "error", err) }))
	}
	return options
}

// announcement is what serve prints.
type announcement struct {
	Service string   `json:"service"`
	PID     int      `json:"pid"`
	Methods []string `json:"methods"`
}

// announce asks the service as a client would, and says then that it is there.
func (s *serving) announce(cmd *cobra.Command) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), startPatience)
	defer cancel()
	conn, err := call.Dial(ctx, s.service)
	if err != nil {
		return err
	}
	defer conn.Close()
	d, err := conn.Describe(ctx)
	if err != nil {
		return err
	}
	a := announcement{Service: s.service, PID: os.Getpid()}
	for _, m := range d.Methods {
		a.Methods = append(a.Methods, m.Name)
	}
	if s.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(a)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "serving %q, process %d\n", a.Service, a.PID)
	return err
}

// alreadyRunning says who has the name, as far as that can be learned.
func (s *serving) alreadyRunning(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	who := "by another process, which does not answer"
	if conn, err := call.Dial(ctx, s.service); err == nil {
		who = "by another process"
		if pid := conn.Peer().PID; pid != 0 {
			who = fmt.Sprintf("by process %d", pid)
		}
		conn.Close()
	}
	return fmt.Errorf("%w: %q is served %s; end that, or take another name with --name", partywall.ErrRunning, s.service, who)
}

// leave shuts the server down: in order, if its handlers are done in time.
func leave(srv *call.Server) {
	defer newProgress().during(func(time.Duration) string { return "waiting for calls to end ..." })()
	ctx, cancel := context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		srv.Close()
	}
}
