package main

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func newWinLs() *cobra.Command {
	var choice windowChoice
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List windows",
		Long: `List the windows of this desktop that are visible, those of other programs and of
other users' too: handle, process, program, class, whether it is visible, and title.
Only windows that meet all conditions are listed.

With --all, hidden windows and message-only ones are listed as well; with
--message-only, those alone. The program stands as "-" if this user may not ask for
it. Without any window it says so on standard error, and --json has an empty array;
the exit status is 0 then too.`,
		Example: `  partywall win ls
  partywall win ls --image compare-server.exe --all
  partywall win ls --json | jq -r '.[].title'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := choice.check(cmd); err != nil {
				return err
			}
			windows, err := listWindows(&choice, choice.messageOnly || all)
			if err != nil {
				return err
			}
			return printWindows(cmd, windows, choice.messageOnly || choice.given("handle") || all, asJSON)
		},
	}
	choice.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "hidden windows and message-only ones too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array with an object for each window")
	return cmd
}

// windowReport is what ls prints of a window.
type windowReport struct {
	Handle      string `json:"handle"` // in hex
	PID         int    `json:"pid"`
	Thread      int    `json:"thread"`
	Image       string `json:"image"` // its base name; empty if this user may not ask
	Class       string `json:"class"`
	Title       string `json:"title"`
	Visible     bool   `json:"visible"`
	MessageOnly bool   `json:"message_only"`
}

func printWindows(cmd *cobra.Command, windows []windowReport, hidden, asJSON bool) error {
	shown := []windowReport{} // [] in JSON
	for _, w := range windows {
		if w.Visible || hidden {
			shown = append(shown, w)
		}
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), shown)
	}
	if len(shown) > 0 {
		return printGrid(cmd.OutOrStdout(), windowGrid(shown))
	}
	text := "no windows"
	if n := len(windows); n > 0 {
		text = fmt.Sprintf("no visible windows; --all lists the hidden ones that match, %d", n)
	}
	_, err := fmt.Fprintln(cmd.ErrOrStderr(), text)
	return err
}

func windowGrid(windows []windowReport) [][]string {
	rows := [][]string{{"HANDLE", "PID", "IMAGE", "CLASS", "VISIBLE", "TITLE"}}
	for _, w := range windows {
		visible := "yes"
		switch {
		case w.MessageOnly:
			visible = "message-only"
		case !w.Visible:
			visible = "no"
		}
		rows = append(rows, []string{w.Handle, strconv.Itoa(w.PID), cmp.Or(clean(w.Image), "-"), clean(w.Class), visible, clean(w.Title)})
	}
	return rows
}
