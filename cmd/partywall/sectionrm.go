package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/section"
)

func newSectionRm() *cobra.Command {
	var place sectionPlace
	cmd := &cobra.Command{
		Use:   "rm NAME...",
		Short: "Remove sections that are kept, or left by processes that were killed",
		Long: `Remove sections that no process has open: kept ones, what processes that were
killed have left, and what is no section of this version but lies where one would.

One that a process has open stays, and the error names the process. All others are
removed nevertheless; the exit status is 1 then.`,
		Example: `  partywall section rm demo/x
  partywall section rm demo/x demo/y`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "a section is needed ('partywall section ls' lists them)")
			}
			for _, name := range args {
				if err := checkSectionName(cmd, name); err != nil {
					return err
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var failed error
			for _, name := range args {
				err := section.Remove(name, place.options()...)
				switch {
				case failed == nil:
					failed = err
				case err != nil:
					failed = errors.Join(failed, errors.New("and"), err)
				}
			}
			return failed
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return place.offerSections(args), cobra.ShellCompDirectiveNoFileComp
		},
	}
	place.flags(cmd)
	return cmd
}
