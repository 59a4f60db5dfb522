package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/examples/sections/watched"
)

// What the processes of the demo set.
var sectionValues = map[string]int32{"a": 10, "b": 20}

func newDemoSections() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sections",
		Short: "Have two other processes set values, and be told",
		Long: `Start two processes that watch a section, and change it: each of them stores a value in a
section of its own, which this process watches. Nobody polls and no message is sent: who
watches a section is woken when it is stored. Nothing is left behind.

This is how two programs share state that, on Windows, would lie in the shared sections of a DLL;
examples/sections has those programs too.`,
		Example: `  partywall demo sections
  partywall demo sections --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return demoSections(cmd, asJSON) },
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(newAnswerSections())
	return cmd
}

// sectionsReport is what demo sections prints.
type sectionsReport struct {
	PID       int             `json:"pid"`
	Responses []sectionAnswer `json:"responses"`
	TestNS    int64           `json:"test_ns"` // from pressing Test to the second response
}

type sectionAnswer struct {
	Section string `json:"section"`
	PID     int    `json:"pid"`
	Value   int32  `json:"value"`
	Text    string `json:"text"`
}

const demoPatience = time.Minute

func demoSections(cmd *cobra.Command, asJSON bool) (err error) {
	dir, err := privateDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDir(dir)) }()
	ctx, cancel := context.WithTimeout(cmd.Context(), demoPatience)
	defer cancel()
	report, err := askSections(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), report)
	}
	return printTable(cmd.OutOrStdout(), report.table())
}

func askSections(ctx context.Context) (report *sectionsReport, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	pids := map[int32]bool{}
	for letter := range sectionValues {
		child, err := spawn(ctx, exec.Command(program, "demo", "sections", "answer-child", letter))
		if err != nil {
			return nil, err
		}
		pids[int32(child.pid())] = true
		defer func() { err = child.stop(err) }()
	}
	began := time.Now()
	responses, err := watched.Ask(ctx)
	if err != nil {
		return nil, err
	}
	report = &sectionsReport{PID: os.Getpid(), TestNS: time.Since(began).Nanoseconds()}
	for _, r := range responses {
		if !pids[r.Data.From] {
			return nil, fmt.Errorf("process %d answers, which was not started for it", r.Data.From)
		}
		report.Responses = append(report.Responses, sectionAnswer{"Section" + r.Letter, int(r.Data.From), r.Data.Value, r.String()})
	}
	return report, nil
}

func (r *sectionsReport) table() []row {
	rows := []row{{"main", fmt.Sprintf("process %d", r.PID)}}
	for _, a := range r.Responses {
		rows = append(rows, row{a.Section, fmt.Sprintf("process %d", a.PID)})
	}
	rows = append(rows, row{})
	for _, a := range r.Responses {
		rows = append(rows, row{a.Text, ""})
	}
	return append(rows, row{}, row{"from Test to both responses", milliseconds(r.TestNS)})
}

// newAnswerSections returns the hidden command that is one of the two processes.
func newAnswerSections() *cobra.Command {
	return &cobra.Command{
		Use:    "answer-child LETTER",
		Short:  "Be one of the two processes, until standard input ends",
		Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || sectionValues[args[0]] == 0 {
				return usagef(cmd, "a or b is needed")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGHUP) // as the other one ends this
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, cmd.InOrStdin())
				cancel()
			}()
			data := watched.Data{Value: sectionValues[args[0]], From: int32(os.Getpid())}
			return watched.Answer(ctx, args[0], data, func() error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), readyFormat, args[0])
				return err
			})
		},
	}
}
