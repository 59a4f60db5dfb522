package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/call"
)

// versionReport is what version prints.
type versionReport struct {
	Version  string `json:"version"`  // of the module; (devel) when built in its tree
	Revision string `json:"revision"` // of the source, empty if not known
	Protocol int    `json:"protocol"` // of calls: both sides must have the same
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the module, the protocol and Go",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versionOf()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), v)
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (v versionReport) String() string {
	return fmt.Sprintf("partywall %s (protocol %d, %s %s/%s)", v.Version, v.Protocol, v.Go, v.OS, v.Arch)
}

func versionOf() versionReport {
	v := versionReport{
		Version:  "unknown",
		Protocol: call.ProtocolVersion,
		Go:       runtime.Version(),
		OS:       runtime.GOOS,
		Arch:     runtime.GOARCH,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}
