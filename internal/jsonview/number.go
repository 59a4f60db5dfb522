package jsonview

import (
	"math"
	"strconv"
	"strings"
)

// An integer is an integer type.
type integer struct {
	signed bool
	bits   int // 8, 16, 32 or 64
}

// String returns the type's name in Go.
func (t integer) String() string {
	if t.signed {
		return "int" + strconv.Itoa(t.bits)
	}
	return "uint" + strconv.Itoa(t.bits)
}

// limits returns the smallest value of the type, as an int64, and the largest.
func (t integer) limits() (int64, uint64) {
	if t.signed {
		return math.MinInt64 >> (64 - t.bits), math.MaxInt64 >> (64 - t.bits)
	}
	return 0, math.MaxUint64 >> (64 - t.bits)
}

// has reports whether the type has the value u or, if negative, the value int64(u).
func (t integer) has(u uint64, negative bool) bool {
	low, high := t.limits()
	if negative {
		return int64(u) >= low
	}
	return u <= high
}

// integer reads a number of an integer type. Negative ones are returned as the
// int64 that they are.
func (r *reader) integer(t integer) (uint64, *fault) {
	c, f := r.peek()
	if f != nil {
		return 0, f
	}
	if c != 0 {
		return 0, r.mismatch(t.String())
	}
	written, f := r.number()
	if f != nil {
		return 0, f
	}
	return t.parse(written)
}

// parse returns the integer that a JSON number is.
func (t integer) parse(written string) (uint64, *fault) {
	digits, ok := whole(written)
	if !ok {
		return 0, faultf("%s has a fraction, where %v is needed", cut(written, longest), t)
	}
	var u uint64
	var err error
	negative := digits[0] == '-'
	if negative {
		var i int64
		i, err = strconv.ParseInt(digits, 10, 64)
		u, negative = uint64(i), i < 0
	} else {
		u, err = strconv.ParseUint(digits, 10, 64)
	}
	if err != nil || !t.has(u, negative) {
		low, high := t.limits()
		return 0, faultf("%s is out of range for %v (%d to %d)", cut(written, longest), t, low, high)
	}
	return u, nil
}

// whole returns a JSON number without its exponent and fraction, if it is a whole
// number: 1e3 and 1.50e1 are. What has more digits than any integer comes back
// longer than those are, but not much.
func whole(written string) (digits string, ok bool) {
	if !strings.ContainsAny(written, ".eE") {
		return written, true
	}
	sign := ""
	if written[0] == '-' {
		sign, written = "-", written[1:]
	}
	exponent := 0
	if i := strings.IndexAny(written, "eE"); i >= 0 {
		const far = 1 << 29 // farther than a text is long, and no overflow below
		n, err := strconv.ParseInt(written[i+1:], 10, 32)
		if err != nil && written[i+1] == '-' {
			n = -far
		} else if err != nil {
			n = far
		}
		exponent = int(min(max(n, -far), far))
		written = written[:i]
	}
	before, after, _ := strings.Cut(written, ".")
	exponent -= len(after)
	digits = strings.TrimLeft(before+after, "0")
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	switch {
	case short == "":
		return "0", true
	case exponent < 0:
		return "", false
	}
	return sign + short + strings.Repeat("0", min(exponent, 20)), true
}

// float reads a float of 32 or 64 bits: a number, or one of the texts that stand
// for what JSON has no number for.
func (r *reader) float(bits int) (float64, *fault) {
	c, f := r.peek()
	if f != nil {
		return 0, f
	}
	name := floatName(bits)
	switch c {
	case 0:
		written, f := r.number()
		if f != nil {
			return 0, f
		}
		v, err := strconv.ParseFloat(written, bits)
		if err != nil {
			most := math.MaxFloat64
			if bits == 32 {
				most = math.MaxFloat32
			}
			limit := strconv.FormatFloat(most, 'g', -1, bits)
			return 0, faultf("%s is out of range for %s (-%s to %s)", cut(written, longest), name, limit, limit)
		}
		return v, nil
	case '"':
		text, f := r.str()
		if f != nil {
			return 0, f
		}
		switch text {
		case "NaN":
			return math.NaN(), nil
		case "+Inf":
			return math.Inf(1), nil
		case "-Inf":
			return math.Inf(-1), nil
		}
		return 0, faultf(`a text, where %s is needed (only "NaN", "+Inf" and "-Inf" may be texts)`, name)
	}
	return 0, r.mismatch(name)
}

func floatName(bits int) string { return "float" + strconv.Itoa(bits) }

// appendFloat appends the shortest JSON that reads as v, which has that many bits.
func appendFloat(b []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"+Inf"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Inf"`...)
	}
	// The format of JavaScript, and of encoding/json: exponents for what is far from 1.
	format := byte('f')
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, bits)
}
