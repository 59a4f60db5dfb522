package instance

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// An Option changes what [Acquire] hands over, or where it looks.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	dir     string // the run directory, or empty for the user's
	args    []string
	env     []string // names
	payload []byte
}

// Args are the arguments to hand over: os.Args[1:] unless set.
func Args(args ...string) Option {
	args = slices.Clone(args)
	return option(func(c *config) { c.args = args })
}

// Env has these variables of the environment handed over, those of them that are set. It
// panics if a name is empty or has a '=' or a zero byte: no variable is called that.
//
// Nothing of the environment is handed over without it, since there may be secrets in it.
// A Linux desktop program asks for XDG_ACTIVATION_TOKEN and DESKTOP_STARTUP_ID, which let
// the first instance put its window in front.
func Env(names ...string) Option {
	names = slices.Clone(names)
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			panic(fmt.Sprintf("instance.Env(%q): no variable has such a name", name))
		}
	}
	return option(func(c *config) { c.env = append(c.env, names...) })
}

// Payload is handed over beside the arguments: up to [MaxPayload] bytes of the program's
// own. More is an error of [Acquire] that wraps partywall.ErrTooLarge, in the first process
// too.
func Payload(b []byte) Option {
	b = slices.Clone(b)
	return option(func(c *config) { c.payload = b })
}

// Dir sets the run directory, in which names are looked up, as call.Dir does: who has
// another one meets others.
func Dir(path string) Option { return option(func(c *config) { c.dir = path }) }

func newConfig(options []Option) *config {
	c := &config{}
	if len(os.Args) > 0 {
		c.args = os.Args[1:]
	}
	for _, o := range options {
		o.apply(c)
	}
	return c
}

// message is what this process hands over.
func (c *config) message() (message, error) {
	m := message{Args: blobs(c.args), Payload: c.payload}
	if dir, err := os.Getwd(); err == nil {
		m.Dir = []byte(dir)
	}
	for _, name := range c.env {
		if value, ok := os.LookupEnv(name); ok {
			m.Env = append(m.Env, []byte(name+"="+value))
		}
	}
	return m, m.check()
}
