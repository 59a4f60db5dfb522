package pe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Type is the type of a variable, or of an array's elements, by its name in Go.
type Type string

// The types of variables.
const (
	Int8    Type = "int8"
	Uint8   Type = "uint8"
	Int16   Type = "int16"
	Uint16  Type = "uint16"
	Int32   Type = "int32"
	Uint32  Type = "uint32"
	Int64   Type = "int64"
	Uint64  Type = "uint64"
	Float32 Type = "float32"
	Float64 Type = "float64"
)

var allTypes = []Type{Int8, Uint8, Int16, Uint16, Int32, Uint32, Int64, Uint64, Float32, Float64}

// Size returns the size in bytes; 0 if there is no such type.
func (t Type) Size() int {
	switch t {
	case Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Int64, Uint64, Float64:
		return 8
	}
	return 0
}

func typeNames() string {
	var names []string
	for _, t := range allTypes {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// arrayAlignment lets vector instructions use arrays.
const arrayAlignment = 16

func (v *Var) size() uint64 { return uint64(v.Type.Size()) * uint64(max(v.Count, 1)) }

func (v *Var) alignment() uint64 {
	if v.Count > 0 {
		return arrayAlignment
	}
	return uint64(v.Type.Size())
}

// sizeName is the export name of the function that returns an array's size.
func (v *Var) sizeName() string { return v.Name + "_size" }

// ParseVar reads a variable from text such as
//
//	SectionA:shareDataA:int32=0:getDataA:setDataA
//	SectionA:limits:[3]float64=0.5,1,2:getLimits
//	SectionB:title:bytes[64]="ready":getTitle
//
// which is SECTION:NAME:TYPE, then =INITIAL, :GETTER and :SETTER, all three optional.
// A getter that is empty is none. TYPE is the name of a [Type], [N]TYPE for an array,
// or bytes[N] for [N]uint8. INITIAL is
//
//   - a number in Go's notation; for an array, numbers with commas between them,
//   - for an array, 0x and two digits for each byte, in the order of memory,
//   - for an array of int8 or uint8, a text in Go's double quotes,
//
// and for an array may be shorter than it: the rest is zero. What ParseVar returns
// passes [DLL.Check].
func ParseVar(text string) (Var, error) {
	v, err := parseVar(text)
	if err == nil {
		err = v.check(exportOwners{})
	}
	if err != nil {
		return Var{}, fmt.Errorf("pe: variable %q: %w", text, err)
	}
	return v, nil
}

func parseVar(text string) (v Var, err error) {
	section, rest, _ := strings.Cut(text, ":")
	name, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return v, errors.New("it is not SECTION:NAME:TYPE[=INITIAL][:GETTER[:SETTER]]")
	}
	v.Section, v.Name = section, name
	typ := rest
	if i := strings.IndexAny(rest, "=:"); i >= 0 {
		typ, rest = rest[:i], rest[i:]
	} else {
		rest = ""
	}
	if v.Type, v.Count, err = parseType(typ); err != nil {
		return v, inField("Type", err)
	}
	if after, ok := strings.CutPrefix(rest, "="); ok {
		initial := after
		if quoted, err := strconv.QuotedPrefix(after); err == nil && after[0] == '"' {
			initial = quoted
		} else if i := strings.IndexByte(after, ':'); i >= 0 {
			initial = after[:i]
		}
		rest = after[len(initial):]
		if v.Initial, err = v.parseInitial(initial); err != nil {
			return v, inField("Initial", err)
		}
	}
	if rest == "" {
		return v, nil
	}
	names := strings.Split(rest, ":") // rest begins with one, or with what a quoted text is followed by
	if names[0] != "" || len(names) > 3 {
		return v, fmt.Errorf("what is %q?", rest)
	}
	v.Getter = names[1]
	if len(names) == 3 {
		v.Setter = names[2]
	}
	return v, nil
}

func parseType(text string) (t Type, count int, err error) {
	number, array := "", false
	if rest, ok := strings.CutPrefix(text, "["); ok {
		number, text, array = strings.Cut(rest, "]")
	} else if rest, ok := strings.CutPrefix(text, "bytes["); ok && strings.HasSuffix(rest, "]") {
		number, text, array = strings.TrimSuffix(rest, "]"), string(Uint8), true
	}
	t = Type(text)
	if t.Size() == 0 {
		return "", 0, fmt.Errorf("%q is none; there are %s, [N]TYPE and bytes[N]", text, typeNames())
	}
	if array {
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q is no number of elements", number)
		}
		count = int(n)
	}
	return t, count, nil
}

// parseInitial returns the bytes of an initial value. It makes no more of them than the
// text has characters, times eight.
func (v *Var) parseInitial(text string) ([]byte, error) {
	if v.Count == 0 {
		return v.Type.parse(nil, text)
	}
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		if err != nil {
			return nil, fmt.Errorf("%s has no closing quote, or an escape that Go does not know", text)
		}
		if v.Type.Size() != 1 {
			return nil, fmt.Errorf("a text is for int8 and uint8, not for %s", v.Type)
		}
		return []byte(s), nil
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok && !strings.Contains(text, ",") {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q are not the bytes of an array: %w", text, err)
		}
		return b, nil
	}
	var b []byte
	for number := range strings.SplitSeq(text, ",") {
		var err error
		if b, err = v.Type.parse(b, strings.TrimSpace(number)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// parse appends the bytes of one number.
func (t Type) parse(b []byte, text string) ([]byte, error) {
	var bits uint64
	var err error
	size := t.Size()
	switch t {
	case Float32:
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		bits = uint64(math.Float32bits(float32(f)))
	case Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		bits = math.Float64bits(f)
	case Int8, Int16, Int32, Int64:
		var i int64
		i, err = strconv.ParseInt(text, 0, 8*size)
		bits = uint64(i)
	default:
		bits, err = strconv.ParseUint(text, 0, 8*size)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is no %s: %w", text, t, errors.Unwrap(err))
	}
	return append(b, binary.LittleEndian.AppendUint64(nil, bits)[:size]...), nil
}
