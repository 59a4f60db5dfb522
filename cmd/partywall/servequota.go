package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// byteCount is a flag's value: a number of bytes, with a unit or without.
type byteCount int64

var byteUnits = []struct {
	name string
	size int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

func (b *byteCount) Set(text string) error {
	digits, unit := text, int64(1)
	for _, u := range byteUnits {
		if before, ok := strings.CutSuffix(text, u.name); ok {
			digits, unit = before, u.size
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return errors.New("a number of bytes is needed, such as 100000, 64KiB, 256MiB or 4GiB")
	}
	*b = byteCount(n * unit)
	return nil
}

func (b *byteCount) String() string { return strconv.FormatInt(int64(*b), 10) }

func (b *byteCount) Type() string { return "bytes" }
