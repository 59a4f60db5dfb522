package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A Handler does what a request says, and returns what becomes JSON.
type Handler func(with json.RawMessage) (any, error)

// ErrOrphan is how Answer ends when the other process has ended without saying so.
var ErrOrphan = errors.New("the other process is gone")

// Answer is a child's half of Ask: it answers requests until it is told to stop. A request that ready answers is the first.
func Answer(in io.Reader, out io.Writer, ready string, handlers map[string]Handler) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return ErrOrphan
		}
		var r incoming
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Do == "stop" {
			return nil
		}
		var result any
		switch h := handlers[r.Do]; {
		case r.Do == "ready":
			result, err = ready, nil
		case h == nil:
			err = fmt.Errorf("no request is called %q", r.Do)
		default:
			result, err = h(r.With)
		}
		var answer reply
		if err == nil {
			answer.Result, err = json.Marshal(result)
		}
		if err != nil {
			answer = reply{Error: err.Error()}
		}
		if line, err = json.Marshal(answer); err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

// With makes a handler of a function that takes a T.
func With[T, R any](f func(T) (R, error)) Handler {
	return func(with json.RawMessage) (any, error) {
		var t T
		if err := json.Unmarshal(with, &t); err != nil {
			return nil, err
		}
		return f(t)
	}
}

// Plain makes a handler of a function that takes nothing.
func Plain[R any](f func() (R, error)) Handler {
	return func(json.RawMessage) (any, error) { return f() }
}
