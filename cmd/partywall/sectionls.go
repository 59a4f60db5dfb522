package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

func newSectionLs() *cobra.Command {
	var place sectionPlace
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the sections and who has them open",
		Long: `List the sections of this user: those that processes have open, those that are
kept, and what processes that were killed have left. It disturbs nobody.

  SIZE      bytes of a value; of bytes and documents, how many it may have
  VERSION   how often it has been stored
  WRITER    the process that stored last, if it still has the section open
  READERS   handles that are open for reading only
  WRITERS   handles that are open for writing too
  WATCHERS  loops that wait for new versions
  STATE     open: it ends with the last process that has it open;
            kept: it stays until "partywall section rm";
            left: its processes were killed, and the next one that opens it begins anew

What is no section of this version is listed with what is wrong. Without any section it
says so on standard error, and --json has an empty list. The exit status is 0 then
too. With --json there is each handle, with its process.`,
		Example: `  partywall section ls
  partywall section ls --json | jq -r '.sections[] | select(.kept).section'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return listSections(cmd, &place, asJSON) },
	}
	place.flags(cmd)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func listSections(cmd *cobra.Command, place *sectionPlace, asJSON bool) error {
	infos, err := section.List(place.options()...)
	if err == nil {
		err = context.Cause(cmd.Context())
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), newSectionListReport(infos))
	}
	if len(infos) == 0 {
		_, err := fmt.Fprintln(cmd.ErrOrStderr(), "no sections")
		return err
	}
	return printGrid(cmd.OutOrStdout(), sectionGrid(infos))
}

// sectionListReport is what section ls prints.
type sectionListReport struct {
	Sections []sectionReport `json:"sections"`
}

// sectionReport is what is known of a section. Of something else there is the file and the error, and
// perhaps the name.
type sectionReport struct {
	Section string `json:"section,omitempty"`
	File    string `json:"file,omitempty"`
	Error   string `json:"error,omitempty"`
	*section.Info
}

func newSectionListReport(infos []section.Info) sectionListReport {
	report := sectionListReport{Sections: []sectionReport{}} // [] in JSON
	for _, i := range infos {
		s := sectionReport{Section: i.Name, File: i.File}
		if i.Err != nil {
			s.Error = oneLine(i.Err)
		} else {
			s.Info = &i
		}
		report.Sections = append(report.Sections, s)
	}
	return report
}

// sectionGrid has a line for each section. Of something else, the rest of the line says what is wrong.
func sectionGrid(infos []section.Info) [][]string {
	rows := [][]string{{"SECTION", "SIZE", "VERSION", "WRITER", "READERS", "WRITERS", "WATCHERS", "STATE", "TYPE"}}
	for _, i := range infos {
		name := i.Name
		if name == "" {
			name = filepath.Base(i.File)
		}
		if i.Err != nil {
			rows = append(rows, []string{clean(name), oneLine(i.Err)})
			continue
		}
		writer := "-"
		if i.Writer != 0 {
			writer = fmt.Sprint(i.Writer)
		}
		rows = append(rows, []string{
			clean(name), grouped(uint64(i.Size)), grouped(i.Version), writer, fmt.Sprint(i.Readers()), fmt.Sprint(i.Writers()),
			fmt.Sprint(i.Watchers()), sectionState(&i), clean(i.Signature),
		})
	}
	return rows
}

func sectionState(i *section.Info) string {
	var states []string
	if len(i.Handles) > 0 {
		states = append(states, "open")
	}
	switch {
	case i.Kept:
		states = append(states, "kept")
	case i.Left:
		states = append(states, "left")
	}
	return strings.Join(states, ",")
}
