package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/winmsg"
)

func newWin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "win",
		Short: "Speak to other programs' windows, on Windows",
		Long: `List the windows of other programs, send them messages, and have them work on a
struct that lies in their memory. The commands need Windows.

A program does not have to know partywall for that: a window's title, a message's
number and the struct that the message carries are all that is agreed on.`,
		Example: `  partywall win ls
  partywall win send --title CompareServer --msg WM_CLOSE --post
  partywall win invoke --title CompareServer --msg WM_USER+100 --struct 'red:f64=3333,blue:f64=20.01'`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newWinLs(), newWinSend(), newWinInvoke())
	return cmd
}

// windowChoice is how flags choose among windows.
type windowChoice struct {
	title, class, image string
	pid                 int
	messageOnly         bool
	handleText          string

	handle uintptr
	given  func(flag string) bool
}

// choosers are the flags that choose.
var choosers = []string{"title", "class", "pid", "image", "message-only", "handle"}

func (c *windowChoice) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.title, "title", "", "the window's `title`; case does not count")
	f.StringVar(&c.class, "class", "", "the `name` of the window's class; case does not count")
	f.IntVar(&c.pid, "pid", 0, "the `id` of the window's process")
	f.StringVar(&c.image, "image", "", "the `program` of the window's process: its base name or its path")
	f.BoolVar(&c.messageOnly, "message-only", false, "message-only windows, which are not among the others")
	f.StringVar(&c.handleText, "handle", "", "the window with this `number`, and no other condition")
	completeFlag(cmd, "title", completeWindows(func(w *windowReport) string { return w.Title }))
	completeFlag(cmd, "class", completeWindows(func(w *windowReport) string { return w.Class }))
	completeFlag(cmd, "image", completeWindows(func(w *windowReport) string { return w.Image }))
	completeFlag(cmd, "pid", completeWindows(func(w *windowReport) string { return strconv.Itoa(w.PID) }))
	completeFlag(cmd, "handle", completeWindows(func(w *windowReport) string { return w.Handle }))
	c.given = f.Changed
}

func (c *windowChoice) check(cmd *cobra.Command) (err error) {
	for flag, value := range map[string]string{"class": c.class, "image": c.image} {
		if value == "" && c.given(flag) {
			return usagef(cmd, "--%s needs a value", flag)
		}
	}
	if c.given("pid") && c.pid <= 0 {
		return usagef(cmd, "--pid %d: no process has such an id", c.pid)
	}
	if !c.given("handle") {
		return nil
	}
	for _, flag := range choosers {
		if flag != "handle" && c.given(flag) {
			return usagef(cmd, "--handle and --%s: a handle is one window, and needs no other condition", flag)
		}
	}
	if c.handle, err = parseWord(c.handleText); err != nil || c.handle == 0 {
		return usagef(cmd, "--handle %s: a window's number is needed, such as 0x10040 ('partywall win ls' lists them)", c.handleText)
	}
	return nil
}

// isGiven reports whether there is any condition.
func (c *windowChoice) isGiven() bool {
	for _, flag := range choosers {
		if c.given(flag) {
			return true
		}
	}
	return false
}

// String says what is looked for.
func (c *windowChoice) String() string {
	kind := "window"
	if c.messageOnly {
		kind = "message-only window"
	}
	var words []string
	for _, w := range []struct {
		flag, words string
	}{
		{"title", fmt.Sprintf("title %q", c.title)}, {"class", fmt.Sprintf("class %q", c.class)},
		{"pid", fmt.Sprintf("process %d", c.pid)}, {"image", fmt.Sprintf("image %q", c.image)},
		{"handle", fmt.Sprintf("handle %#x", c.handle)},
	} {
		if c.given(w.flag) {
			words = append(words, w.words)
		}
	}
	if len(words) == 0 {
		return kind
	}
	return kind + " with " + strings.Join(words, ", ")
}

// parseWord reads a WPARAM or LPARAM, in decimal or after 0x; a negative one means the bits of a
// signed number.
func parseWord(text string) (uintptr, error) {
	if strings.HasPrefix(text, "-") {
		n, err := strconv.ParseInt(text, 0, bits.UintSize)
		return uintptr(n), err
	}
	n, err := strconv.ParseUint(text, 0, bits.UintSize)
	return uintptr(n), err
}

// sender is what send and invoke have in common.
type sender struct {
	windowChoice
	msgText       string
	wait, timeout time.Duration
	asJSON        bool

	msg winmsg.Message
}

func (s *sender) flags(cmd *cobra.Command) {
	s.windowChoice.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&s.msgText, "msg", "", "the `message`, such as WM_USER+100, WM_CLOSE or 0x464")
	f.DurationVar(&s.wait, "wait", 0, "how `long` to wait until there is such a window")
	f.DurationVar(&s.timeout, "timeout", 10*time.Second, "how `long` the window may take to answer; 0: as long as it does")
	jsonFlag(cmd, &s.asJSON)
	completeFlag(cmd, "msg", completeMessage)
}

func (s *sender) check(cmd *cobra.Command) (err error) {
	if err := s.windowChoice.check(cmd); err != nil {
		return err
	}
	switch {
	case !s.isGiven():
		return usagef(cmd, "which window? --title, --class, --pid, --image or --handle chooses one ('partywall win ls' lists them)")
	case s.msgText == "":
		return usagef(cmd, "which message? --msg WM_USER+100 is an example")
	case s.timeout < 0:
		return usagef(cmd, "--timeout %v: 0 or more is possible", s.timeout)
	case s.wait < 0:
		return usagef(cmd, "--wait %v: 0 or more is possible", s.wait)
	case s.wait > 0 && s.given("handle"):
		return usagef(cmd, "--handle and --wait: a window that comes has another handle")
	}
	if s.msg, err = winmsg.ParseMessage(s.msgText); err != nil {
		return usagef(cmd, "--msg: %w", err)
	}
	return nil
}

// messages are what --msg offers.
var messages = []cobra.Completion{
	cobra.CompletionWithDesc("WM_USER+", "what the window's class says"),
	cobra.CompletionWithDesc("WM_APP+", "what the program says"),
	cobra.CompletionWithDesc("WM_CLOSE", "asks a window to close"),
	cobra.CompletionWithDesc("WM_COMMAND", "a menu's or a control's"),
	cobra.CompletionWithDesc("WM_NULL", "does nothing"),
}

func completeMessage(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return messages, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeWindows offers what the windows that there are have, each once.
func completeWindows(of func(*windowReport) string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) (offers []string, _ cobra.ShellCompDirective) {
		seen := map[string]bool{}
		for _, w := range offerWindows() {
			if text := of(&w); text != "" && text == clean(text) && !seen[text] {
				seen[text] = true
				offers = append(offers, cobra.CompletionWithDesc(text, fmt.Sprintf("%s, process %d", clean(w.Image), w.PID)))
			}
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}
