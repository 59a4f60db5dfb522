package main

import (
	"context"
	"errors"
	"io"
	"math"
)

// errInPieces: the file changed while it was read.
var errInPieces = errors.New("it became shorter while it was read")

// An entropyReader computes the entropy of sections. Those that lie over each other, as they
// may in strange files, do not have it read the same bytes without end.
type entropyReader struct {
	ctx   context.Context
	left  int64 // bytes
	known map[peBytes]float64
	piece [64 << 10]byte
}

// of returns the bits per byte of what r has, or nil if that is nothing, or too much by now.
func (e *entropyReader) of(r *io.SectionReader, off int64) (*float64, error) {
	size := r.Size()
	if size == 0 {
		return nil, nil
	}
	key := peBytes{off, size}
	if bits, ok := e.known[key]; ok {
		return &bits, nil
	}
	if e.left -= size; e.left < 0 {
		return nil, nil
	}
	var counts [256]int64
	var read int64
	for read < size {
		if err := e.ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(e.piece[:])
		for _, b := range e.piece[:n] {
			counts[b]++
		}
		if read += int64(n); err == io.EOF && read < size {
			return nil, errInPieces
		} else if err != nil && err != io.EOF {
			return nil, err
		}
	}
	var bits float64
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(size)
			bits -= p * math.Log2(p)
		}
	}
	bits = max(0, math.Round(bits*1e4)/1e4)
	e.known[key] = bits
	return &bits, nil
}
