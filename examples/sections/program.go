package sections

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"
)

// mainUsage is what SectionMain --help prints.
const mainUsage = `usage: SectionMain [--auto] [--timeout DURATION]

SectionMain starts SectionASub and SectionBSub, which are in its folder, and
shows a window with a button, Test. Pressed, it asks both for their data, which
they set in the shared sections of SectionDLL.dll, and shows and prints what
they answer. It closes those that it has started when its window is closed.

  --auto              press Test, print both responses, and end: with exit
                      status 0, or 1 if there is one missing
  --timeout DURATION  how long the others may take to come up, how long to
                      answer, and how long to close; 30s if not given
`

// subUsage is what a child's --help prints.
const subUsage = `usage: %[1]s

%[1]s sets %[2]d with %[3]s of SectionDLL.dll, which is in its folder, when
its window is sent %[4]v, and posts the same message to the window
SectionMain. It ends when its window is closed. SectionMain starts it.
`

// mainOptions are SectionMain's.
type mainOptions struct {
	auto    bool
	timeout time.Duration
}

// Main is the program SectionMain: it returns its exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	p := program{MainTitle, mainUsage, stdout, stderr}
	var o mainOptions
	flags := flag.NewFlagSet(p.name, flag.ContinueOnError)
	flags.BoolVar(&o.auto, "auto", false, "")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "")
	return p.run(flags, args, func(ctx context.Context) error {
		if o.timeout <= 0 {
			return usageError{fmt.Errorf("a timeout of %v", o.timeout)}
		}
		return p.main(ctx, o)
	})
}

// Sub is the program SectionASub or SectionBSub: it returns its exit status.
func Sub(c Child, args []string, stdout, stderr io.Writer) int {
	p := program{c.Title, fmt.Sprintf(subUsage, c.Title, c.Value, c.Setter, c.Message), stdout, stderr}
	return p.run(flag.NewFlagSet(p.name, flag.ContinueOnError), args, func(ctx context.Context) error {
		return p.sub(ctx, c)
	})
}

// program is what the three have in common.
type program struct {
	name, usage    string
	stdout, stderr io.Writer
}

// usageError is a mistake in the arguments.
type usageError struct{ error }

// run has f do the work, until it is done or the program is interrupted.
func (p *program) run(flags *flag.FlagSet, args []string, f func(context.Context) error) (status int) {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.stdout, p.usage)
		return 0
	case err != nil:
		err = usageError{err}
	case flags.NArg() > 0:
		err = usageError{fmt.Errorf("what is %q?", flags.Arg(0))}
	default:
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		err = f(ctx)
	}
	if err == nil {
		return 0
	}
	if wrong := (usageError{}); errors.As(err, &wrong) {
		p.complain(fmt.Errorf("%w; %s --help says what there is", err, p.name))
		return 2
	}
	p.complain(err)
	return 1
}

// complain says what went wrong, in one line.
func (p *program) complain(err error) { fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err) }
