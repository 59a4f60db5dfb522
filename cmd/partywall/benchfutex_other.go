//go:build !linux

package main

import (
	"context"
	"errors"
)

// bareFutex is for Linux: elsewhere there is none to compare with.
type bareFutex struct{}

func newBareFutex() (*bareFutex, error)              { return nil, nil }
func (*bareFutex) store(*probe) (uint64, error)      { return 0, nil }
func (*bareFutex) close()                            {}
func futexUntil(context.Context, func() error) error { return errors.New("there is no futex here") }
