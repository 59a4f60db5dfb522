package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/examples/outfile"
)

// caller is one run of call.
type caller struct {
	service, method string
	json            string // the argument as it was typed, or "-"
	files           []string
	body, out       string // files, "-" or none
	meta            []string
	timeout         time.Duration
	describe        bool
	indent, asJSON  bool

	metadata map[string]string
	fields   []fileField
}

func newCall() *cobra.Command {
	var c caller
	cmd := &cobra.Command{
		Use:   "call SERVICE METHOD [JSON|-]",
		Short: "Call any method of a service, with JSON",
		Long: `Call a method of a service that runs, and print the result as JSON. The service
says itself what the method takes: --describe shows it, with an argument to begin
with.

The argument is JSON, read from standard input if it is "-". Fields that it leaves
out are zero; without an argument, all are. Bytes are base64, or come from a file
with --file. A float that is no number is "NaN", "+Inf" or "-Inf". An argument that
begins with a minus sign stands behind "--".

Beside the argument and the result, a call can carry bytes: --body sends a file, and
--out writes what comes back. With --out - that goes to standard output and the JSON
to standard error. Without --out such bytes are dropped, and standard error says how
many they were. A method that works in place leaves its result in the body.

A file that --out names is replaced when the call has succeeded and all is written,
and keeps its mode.`,
		Example: `  partywall call echo sum '{"A": 40, "B": 2}'
  partywall call echo sum --describe
  echo '{"text": "hi", "n": 3}' | partywall call echo echo -
  partywall call echo reverse --body left.png --out reversed.bin
  partywall call compare compare --file left=a.png --file right=b.png --indent`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return usagef(cmd, "a service and a method are needed, and one argument is possible; %d given ('partywall ls -l' lists them)", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.service, c.method = args[0], args[1]
			if len(args) > 2 {
				c.json = args[2]
			}
			return c.run(cmd)
		},
		ValidArgsFunction: completeCall,
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.files, "file", nil, "fill a field, bytes or a text, from a file: `FIELD=PATH`; inner.field lies in a struct, and . is the whole argument")
	f.StringVar(&c.body, "body", "", "send this `file`, or \"-\" for standard input, beside the argument")
	f.StringVar(&c.out, "out", "", "write the bytes beside the result to this `file`, or \"-\" for standard output")
	f.StringArrayVar(&c.meta, "meta", nil, "send metadata, for the service's interceptors: `KEY=VALUE`")
	f.DurationVar(&c.timeout, "timeout", 30*time.Second, "how `long` dialling and the call may take; 0: as long as they do")
	f.BoolVar(&c.describe, "describe", false, "say what the method takes and returns, and do not call it")
	f.BoolVar(&c.indent, "indent", false, "print the result in several lines")
	f.BoolVar(&c.asJSON, "json", false, "print one JSON object: the service, the method, the result and how long it took")
	completeFlag(cmd, "file", completeFile)
	completeFlag(cmd, "body", completeFiles)
	completeFlag(cmd, "out", completeFiles)
	return cmd
}

// check finds out what cannot go well, before anything is read.
func (c *caller) check(cmd *cobra.Command) (err error) {
	if err := partywall.CheckName(c.service); err != nil {
		return usagef(cmd, "SERVICE: %w", err)
	}
	if err := partywall.CheckName(c.method); err != nil {
		return usagef(cmd, "METHOD: %w", err)
	}
	if c.timeout < 0 {
		return usagef(cmd, "--timeout %v: 0 or more is possible", c.timeout)
	}
	if c.json == "-" && c.body == "-" {
		return usagef(cmd, "the argument and --body cannot both be standard input")
	}
	for flag, value := range map[string]string{"body": c.body, "out": c.out} {
		if value == "" && cmd.Flags().Changed(flag) {
			return usagef(cmd, "--%s needs the name of a file", flag)
		}
	}
	if c.metadata, err = parseMeta(c.meta); err != nil {
		return usagef(cmd, "%w", err)
	}
	if c.fields, err = parseFiles(c.files); err != nil {
		return usagef(cmd, "%w", err)
	}
	if c.out != "" && c.out != "-" {
		return outfile.Check(c.out)
	}
	return nil
}

func (c *caller) run(cmd *cobra.Command) error {
	if err := c.check(cmd); err != nil {
		return err
	}
	in, err := c.input(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	return c.explain(c.do(ctx, cmd, in))
}

// do dials and calls.
func (c *caller) do(ctx context.Context, cmd *cobra.Command, in *input) error {
	conn, err := call.Dial(ctx, c.service, c.options()...)
	if err != nil {
		return c.unknownService(ctx, err)
	}
	defer conn.Close()
	m, err := conn.Method(ctx, c.method)
	if err != nil {
		return c.unknownMethod(ctx, conn, err)
	}
	if c.describe {
		return c.printDescription(ctx, cmd.OutOrStdout(), conn, m)
	}
	arg, err := c.fill(cmd, m.Arg(), in.arg)
	if err != nil {
		return err
	}
	start := time.Now()
	result, back, err := m.CallJSON(ctx, arg, in.body, nil)
	if errors.Is(err, partywall.ErrPeerGone) {
		err = fmt.Errorf("%w; nobody knows whether the call took effect", err)
	}
	if err != nil {
		return err
	}
	return c.print(cmd, &resultReport{
		Service: c.service, Method: c.method,
		Result: result, BodyBytes: len(back), Out: c.out, NS: time.Since(start).Nanoseconds(),
	}, back)
}
