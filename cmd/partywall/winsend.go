package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/winmsg"
)

// copyData is a message that carries memory, and not two numbers.
const copyData = winmsg.Copy

// sending is one run of send.
type sending struct {
	sender
	wText, lText string
	post         bool

	wParam, lParam uintptr
}

func newWinSend() *cobra.Command {
	var s sending
	cmd := &cobra.Command{
		Use:   "send",
		Short: "Send a message to a window",
		Long: `Send a message to the one window that meets the conditions, wait until it has
answered, and print its answer as a signed number and in hex. With --post it is left
in the queue of the window's thread, and nobody waits.

wParam and lParam are numbers, in decimal or after 0x, and 0 if they are not given.
What lies at an address of this process is not there for the other program;
"partywall win invoke" is for memory.

If no window, or more than one, meets the conditions, one line says so, and the
exit status is 1. A window that has not answered within --timeout gets the message
all the same.`,
		Example: `  partywall win send --title CompareServer --msg WM_USER+100
  partywall win send --image notepad.exe --class Notepad --msg WM_CLOSE --post
  partywall win send --handle 0x10040 --msg 0x464 --wparam 5 --lparam -1 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	s.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&s.wText, "wparam", "0", "the `number` that goes as wParam")
	f.StringVar(&s.lText, "lparam", "0", "the `number` that goes as lParam")
	f.BoolVar(&s.post, "post", false, "do not wait for an answer")
	return cmd
}

func (s *sending) check(cmd *cobra.Command) (err error) {
	if err := s.sender.check(cmd); err != nil {
		return err
	}
	if s.msg == copyData {
		return usagef(cmd, "--msg %s: that message carries memory, which numbers cannot refer to", s.msgText)
	}
	if s.wParam, err = parseWord(s.wText); err != nil {
		return usagef(cmd, "--wparam %s: a whole number is needed, in decimal or after 0x", s.wText)
	}
	if s.lParam, err = parseWord(s.lText); err != nil {
		return usagef(cmd, "--lparam %s: a whole number is needed, in decimal or after 0x", s.lText)
	}
	return nil
}

func (s *sending) run(cmd *cobra.Command) error {
	if err := s.check(cmd); err != nil {
		return err
	}
	answer, err := s.send(cmd.Context())
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case s.post && s.asJSON:
		return printJSON(out, postReport{true})
	case s.post:
		_, err = fmt.Fprintln(out, "posted")
	case s.asJSON:
		return printJSON(out, answerReport{signed(answer), hexWord(answer)})
	default:
		_, err = io.WriteString(out, answerLine(answer))
	}
	return err
}

type postReport struct {
	Posted bool `json:"posted"`
}

type answerReport struct {
	Answer int64  `json:"answer"`
	Hex    string `json:"hex"`
}

// signed is an LRESULT as a number.
func signed(answer uintptr) int64 { return int64(int(answer)) }

func hexWord(answer uintptr) string { return fmt.Sprintf("%#x", answer) }

func answerLine(answer uintptr) string {
	return fmt.Sprintf("answer=%d (%s)\n", signed(answer), hexWord(answer))
}
