package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// completionPatience bounds what somebody at a keyboard waits for services to answer. Tests
// have more of it.
var completionPatience = 300 * time.Millisecond

func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // there is no such flag
	}
}

// completeFiles leaves the completion to the shell, which knows files best.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// completeCall offers the services that are alive, and then the methods of one.
func completeCall(cmd *cobra.Command, args []string, _ string) (offers []string, _ cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	switch len(args) {
	case 0:
		offers = offerServices(ctx)
	case 1:
		offers = offerMethods(ctx, args[0])
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

func offerServices(ctx context.Context) (offers []string) {
	listings, err := call.List(ctx)
	if err != nil {
		return nil
	}
	for _, l := range listings {
		offer := l.Service
		if l.Err == nil {
			offer = cobra.CompletionWithDesc(l.Service, "served by "+clean(l.Program))
		}
		offers = append(offers, offer)
	}
	return offers
}

func offerMethods(ctx context.Context, service string) (offers []string) {
	conn, err := call.Dial(ctx, service)
	if err != nil {
		return nil
	}
	defer conn.Close()
	d, err := conn.Describe(ctx)
	if err != nil {
		return nil
	}
	for _, m := range d.Methods {
		if partywall.CheckName(m.Name) == nil { // the service says it
			offers = append(offers, cobra.CompletionWithDesc(m.Name, signature(m)))
		}
	}
	return offers
}

// completeFile offers the fields that a file can fill, and then files.
func completeFile(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if field, path, ok := strings.Cut(typed, "="); ok {
		offers := offerFiles(field+"=", path)
		if len(offers) == 1 && !strings.HasSuffix(offers[0], string(filepath.Separator)) {
			return offers, cobra.ShellCompDirectiveNoFileComp
		}
		return offers, directive
	}
	if len(args) < 2 {
		return nil, directive
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	conn, err := call.Dial(ctx, args[0])
	if err != nil {
		return nil, directive
	}
	defer conn.Close()
	m, err := conn.Method(ctx, args[1])
	if err != nil {
		return nil, directive
	}
	var offers []string
	for _, path := range parseShape(m.Arg().Signature).paths((*shape).fromFile) {
		offers = append(offers, path+"=")
	}
	return offers, directive
}

// offerFiles does what the shell would do with a path that stands alone.
func offerFiles(before, path string) (offers []string) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".")
		if hidden || !strings.HasPrefix(name, base) || strings.ContainsAny(name, "\n\t") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			name += string(filepath.Separator)
		}
		offers = append(offers, before+dir+name)
	}
	return offers
}
