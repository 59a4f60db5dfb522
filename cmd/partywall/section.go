package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

func newSection() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "section",
		Short: "Read, write and watch sections: named state that processes share",
		Long: `A section is one typed value that several processes have in memory that they
share: each can read it, store another and watch it. The commands here need not know
its type, because the section says it.

A section lives as long as a process has it open, unless it is kept: then it stays
with its last value until "partywall section rm".`,
		Example: `  partywall section set demo/x n:uint32=1 --create
  partywall section watch demo/x
  partywall section rm demo/x`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSectionLs(), newSectionGet(), newSectionSet(), newSectionWatch(), newSectionRm())
	return cmd
}

// sectionPlace is where sections are looked for.
type sectionPlace struct{ dir, group string }

func (p *sectionPlace) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.dir, "dir", "", "the `directory` in which sections lie, not the run directory")
	f.StringVar(&p.group, "group", "", "those that the members of this `group` of users share")
	if err := cmd.MarkFlagDirname("dir"); err != nil {
		panic(err) // there is no such flag
	}
	completeFlag(cmd, "group", cobra.NoFileCompletions)
}

func (p *sectionPlace) options(more ...section.Option) []section.Option {
	if p.dir != "" {
		more = append(more, section.Dir(p.dir))
	}
	if p.group != "" {
		more = append(more, section.Group(p.group))
	}
	return more
}

// sectionName is the check of a command that takes the name of a section and more arguments, at most
// so many.
func sectionName(what string, more int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 1+more {
			return usagef(cmd, "%s; %d given ('partywall section ls' lists the sections)", what, len(args))
		}
		return checkSectionName(cmd, args[0])
	}
}

func checkSectionName(cmd *cobra.Command, name string) error {
	if err := partywall.CheckName(name); err != nil {
		return usagef(cmd, "NAME: %w", err)
	}
	return nil
}

// explain adds to an error what its reader can do.
func (p *sectionPlace) explain(name string, err error) error {
	switch {
	case errors.Is(err, section.ErrInput):
		return &inputError{err}
	case errors.Is(err, partywall.ErrNotFound):
		return p.unknown(name, err)
	}
	return err
}

// unknown explains that there is no such section.
func (p *sectionPlace) unknown(name string, err error) error {
	infos, listErr := section.List(p.options()...)
	if listErr != nil {
		return err
	}
	var names []string
	for _, i := range infos {
		if i.Err == nil && !i.Left && i.Name != name {
			names = append(names, i.Name)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%w; there are no sections: 'partywall section set %s n:uint32=1 --create' makes one", err, name)
	}
	return fmt.Errorf("%w; %s", err, suggestion(name, "sections", names))
}

// completeSection offers sections, and then what fields offers for one of them.
func completeSection(p *sectionPlace, fields func(i *section.Info, args []string) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) (offers []string, directive cobra.ShellCompDirective) {
		directive = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 {
			if fields == nil {
				return nil, directive
			}
			i, err := section.Describe(args[0], p.options()...)
			if err != nil {
				return nil, directive
			}
			return fields(&i, args[1:]), directive
		}
		return p.offerSections(nil), directive
	}
}

// offerSections offers those that do not stand there yet.
func (p *sectionPlace) offerSections(typed []string) (offers []string) {
	infos, err := section.List(p.options()...)
	if err != nil {
		return nil
	}
	for _, i := range infos {
		if i.Name != "" && !slices.Contains(typed, i.Name) {
			offers = append(offers, cobra.CompletionWithDesc(i.Name, clean(i.Signature)))
		}
	}
	return offers
}

// offerFields offers one field.
func offerFields(i *section.Info, typed []string) (offers []string) {
	for _, f := range i.Fields() {
		if len(typed) == 0 {
			offers = append(offers, cobra.CompletionWithDesc(f.Path, clean(f.Signature)))
		}
	}
	return offers
}
