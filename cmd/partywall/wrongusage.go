package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a mistake in the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{cmd.CommandPath(), fmt.Errorf(format, args...)}
}

// inputError is a mistake in what a command was given to work on. It has the status of
// wrong usage, but the command's help would not help.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// noCommand is the check of a command that only has sub-commands.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "unknown command %q", args[0])
	}
	return nil
}

// noArguments is the check of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "%q is too much: %s takes no arguments", args[0], cmd.CommandPath())
	}
	return nil
}

// strictUsage makes every mistake in the command line a usage error. It adds the
// commands that cobra would add later, help and completion, which otherwise
// explain something else than they were asked for, and report success.
func strictUsage(root *cobra.Command) {
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{cmd.CommandPath(), flagError(err)}
	})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = helpTopic
		case "completion":
			c.Args = noCommand
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range c.Commands() {
				shell.Args = noArguments
			}
		}
	}
}

func helpTopic(cmd *cobra.Command, args []string) error {
	if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
		return usagef(cmd, "unknown help topic %q", args)
	}
	return nil
}

// kinds says what a flag's value has to be, by the name that pflag has for it.
var kinds = map[string]string{
	"bool":     "true or false",
	"duration": "a duration such as 500ms, 3s or 2m",
	"float64":  "a number",
	"int":      "a whole number",
}

// flagError puts an error about a flag's value into a user's words; pflag's own
// name functions of package strconv.
func flagError(err error) error {
	invalid := (*pflag.InvalidValueError)(nil)
	if !errors.As(err, &invalid) {
		return err
	}
	flag := invalid.GetFlag()
	if kind := kinds[flag.Value.Type()]; kind != "" {
		return fmt.Errorf("--%s %s: %s is needed", flag.Name, invalid.GetValue(), kind)
	}
	return err
}
