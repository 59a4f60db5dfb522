package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A fieldKind is what a field's elements are: a number, by the bits that it has in memory, or, without
// parse and format, a unit of a text.
type fieldKind struct {
	name   string
	size   int // of an element, in bytes, and its alignment
	parse  func(text string) (bits uint64, err error)
	format func(bits uint64) string
}

// fieldKinds are the types of fields, by name.
var fieldKinds = map[string]*fieldKind{}

// fieldTypes lists them for error and help texts.
const fieldTypes = "i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, bool, each also as an array such as i32[4], bytes[N] and text16[N]"

func init() {
	for size := 1; size <= 8; size *= 2 {
		addKind(signedKind(size))
		addKind(unsignedKind(size))
	}
	addKind(floatKind(4))
	addKind(floatKind(8))
	addKind(fieldKind{"bool", 1, parseBool, formatBool})
	addKind(fieldKind{name: "bytes", size: 1})
	addKind(fieldKind{name: "text16", size: 2})
}

func addKind(k fieldKind) { fieldKinds[k.name] = &k }

func signedKind(size int) fieldKind {
	bits := 8 * size
	return fieldKind{fmt.Sprint("i", bits), size, func(text string) (uint64, error) {
		n, err := strconv.ParseInt(text, 0, bits)
		if err != nil {
			return 0, fmt.Errorf("%q is not a whole number from %d to %d", shortened(text), int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits))
		}
		return uint64(n), nil
	}, func(n uint64) string {
		return strconv.FormatInt(int64(n<<(64-bits))>>(64-bits), 10)
	}}
}

func unsignedKind(size int) fieldKind {
	bits := 8 * size
	return fieldKind{fmt.Sprint("u", bits), size, func(text string) (uint64, error) {
		n, err := strconv.ParseUint(text, 0, bits)
		if err != nil {
			return 0, fmt.Errorf("%q is not a whole number from 0 to %d", shortened(text), uint64(math.MaxUint64)>>(64-bits))
		}
		return n, nil
	}, func(n uint64) string { return strconv.FormatUint(n, 10) }}
}

func floatKind(size int) fieldKind {
	bits := 8 * size
	name := fmt.Sprint("f", bits)
	return fieldKind{name, size, func(text string) (uint64, error) {
		v, err := strconv.ParseFloat(text, bits)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return 0, fmt.Errorf("%q is too large for %s", shortened(text), name)
		case err != nil:
			return 0, fmt.Errorf("%q is not a number", shortened(text))
		case bits == 32:
			return uint64(math.Float32bits(float32(v))), nil
		}
		return math.Float64bits(v), nil
	}, func(n uint64) string {
		v := math.Float64frombits(n)
		if bits == 32 {
			v = float64(math.Float32frombits(uint32(n)))
		}
		return strconv.FormatFloat(v, 'g', -1, bits)
	}}
}

// parseBool reads a C bool, which a program that is not careful can give any value of a byte.
func parseBool(text string) (uint64, error) {
	switch text {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 0, 8)
	if err != nil {
		return 0, fmt.Errorf("%q is neither true nor false", shortened(text))
	}
	return n, nil
}

func formatBool(n uint64) string {
	switch n {
	case 0:
		return "false"
	case 1:
		return "true"
	}
	return strconv.FormatUint(n, 10)
}

// parseValue makes bytes of a value as it was typed.
func (f *structField) parseValue(text string) ([]byte, error) {
	if f.kind.parse == nil {
		return f.parseText(text)
	}
	elements := []string{text}
	if f.array {
		elements = strings.Split(text, ";")
	}
	if len(elements) > f.count {
		return nil, fmt.Errorf("there are %d values for %d elements", len(elements), f.count)
	}
	var value []byte
	for _, e := range elements {
		n, err := f.kind.parse(strings.TrimSpace(e))
		if err != nil {
			return nil, err
		}
		value = append(value, binary.LittleEndian.AppendUint64(nil, n)[:f.kind.size]...)
	}
	return value, nil
}

// parseText reads a text, in quotation marks or not, or 0x and bytes.
func (f *structField) parseText(text string) (value []byte, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		if text, err = strconv.Unquote(text); err != nil {
			return nil, errors.New("something follows its closing quotation mark")
		}
		value = f.encode(text)
	case strings.HasPrefix(text, "0x"), strings.HasPrefix(text, "0X"):
		if value, err = hex.DecodeString(text[2:]); err != nil {
			return nil, fmt.Errorf("%q is not bytes in hex; a text that begins with 0x stands in quotation marks", shortened(text))
		}
	default:
		value = f.encode(text)
	}
	if len(value) > f.size() {
		return nil, fmt.Errorf("the value has %d bytes, the field has %d", len(value), f.size())
	}
	return value, nil
}

func (f *structField) encode(text string) []byte {
	if f.kind.size == 1 {
		return []byte(text)
	}
	var value []byte
	for _, u := range utf16.Encode([]rune(text)) {
		value = binary.LittleEndian.AppendUint16(value, u)
	}
	return value
}

// decode returns the text that a field of bytes or text16 has, without the zeros at its
// end, if there is one whose encoding these bytes are.
func (f *structField) decode(value []byte) (text string, ok bool) {
	if f.kind.size == 1 {
		text = string(value)
	} else {
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(value[2*i:])
		}
		text = string(utf16.Decode(units))
	}
	text = strings.TrimRight(text, "\x00")
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", false
	}
	encoded := f.encode(text)
	return text, bytes.Equal(encoded, value[:len(encoded)])
}

// elements returns what a number or an array of them has, each as text.
func (f *structField) elements(value []byte) (texts []string) {
	for ; len(value) > 0; value = value[f.kind.size:] {
		var n [8]byte
		copy(n[:], value[:f.kind.size])
		texts = append(texts, f.kind.format(binary.LittleEndian.Uint64(n[:])))
	}
	return texts
}

// text returns a field's value in the struct's bytes as parseStruct reads it.
func (f *structField) text(data []byte) string {
	value := f.part(data)
	if f.kind.parse != nil {
		return strings.Join(f.elements(value), ";")
	}
	if text, ok := f.decode(value); ok {
		return strconv.Quote(text)
	}
	return "0x" + hex.EncodeToString(value)
}

// json returns a field's value in the struct's bytes. What is no number in JSON is a string.
func (f *structField) json(data []byte) json.RawMessage {
	value := f.part(data)
	if f.kind.parse == nil {
		text, ok := f.decode(value)
		if !ok || strings.HasPrefix(strings.ToLower(text), "0x") {
			text = "0x" + hex.EncodeToString(value)
		}
		return jsonString(text)
	}
	elements := f.elements(value)
	for i, e := range elements {
		if strings.ContainsAny(e, "NI") { // NaN, +Inf, -Inf
			elements[i] = string(jsonString(e))
		}
	}
	if !f.array {
		return json.RawMessage(elements[0])
	}
	return json.RawMessage("[" + strings.Join(elements, ",") + "]")
}

func jsonString(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has an encoding
	}
	return quoted
}

// json returns the struct's bytes as an object whose keys are in the order of the fields.
func (s *structSpec) json(data []byte) json.RawMessage {
	var b bytes.Buffer
	for i := range s.fields {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(jsonString(s.fields[i].name))
		b.WriteByte(':')
		b.Write(s.fields[i].json(data))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// lines returns the struct's bytes with a line for each field.
func (s *structSpec) lines(data []byte) string {
	var b strings.Builder
	for i := range s.fields {
		f := &s.fields[i]
		fmt.Fprintf(&b, "%s=%s (%s)\n", f.name, f.text(data), f.typ())
	}
	return b.String()
}
