package main

import "github.com/spf13/cobra"

// newPe returns the command for PE files. Those below it are listed here.
func newPe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pe",
		Short: "Look into Windows programs and libraries, on any system",
		Long: `Work on PE files: the programs (EXE), libraries (DLL) and drivers (SYS) of Windows. No
Windows is needed, no compiler, and nothing of the files is run.

A section of such a file whose header says that it is shared is one copy of memory for
all processes that load the file. Those commands are about it: it is a way for
processes to share values, and a hole where nobody meant it.`,
		Example: `  partywall pe show program.exe
  partywall pe audit program.exe
  partywall pe audit --sarif --out audit.sarif build/
  partywall pe share library.dll --section SectionA:rws
  partywall pe add program.exe --section Counter:rws --size 4096
  partywall pe dll SectionDLL.dll --var SectionA:shareDataA:int32=0:getDataA:setDataA`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPeShow(), newPeAudit(), newPeShare(), newPeAdd(), newPeDLL())
	return cmd
}
