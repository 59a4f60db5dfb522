//go:build !windows

package main

import (
	"context"
	"io"
)

func (b *benchInvoke) measure(context.Context) (*invokeBench, error) {
	return nil, needsWindows("bench invoke")
}

func serveInvoke(io.Reader, io.Writer) error { return needsWindows("bench invoke") }
