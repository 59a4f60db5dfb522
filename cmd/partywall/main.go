// Command partywall shows and measures what package partywall does.
//
// Exit status: 0 done, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	defer stop()
	// Ending takes a moment. Whoever cannot wait sends a second signal, which ends
	// this process as if it caught none; the server process then ends by itself.
	defer context.AfterFunc(ctx, stop)()
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(os.Stderr, "partywall:", oneLine(err))
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		fmt.Fprintf(os.Stderr, "Run '%s --help' for usage.\n", usage.command)
		return 2
	}
	if input := (*inputError)(nil); errors.As(err, &input) {
		return 2
	}
	return 1
}

// endSignals are those that end the program in order. A program that was started
// with SIGHUP ignored, by nohup(1), goes on ignoring it.
func endSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "partywall",
		Short: "Call the process next door, in memory that both have mapped",
		Long: `partywall lets programs on one machine call each other through shared memory.
This command shows it at work, calls services that run, and measures it on your
machine.

Exit status: 0 done, 1 failed, 2 wrong usage.`,
		Example: `  partywall demo
  partywall demo compare before.png after.png -o difference.png
  partywall serve echo &
  partywall call echo sum '{"A": 40, "B": 2}'
  partywall bench call --size 64 --duration 1s`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionOf().String(),
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(newDemo(), newServeExample(), newLs(), newCall(), newBench(), newSection(), newWin(), newPe(), newDoctor(), newMan(), newVersion())
	strictUsage(root)
	return root
}
