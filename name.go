package partywall

import "fmt"

// MaxName is the longest name of a service or method, in bytes.
const MaxName = 100

// CheckName reports whether name may name a service or a method: 1 to
// [MaxName] bytes out of a-z, 0-9, '.', '_', '-' and '/'. The error wraps
// [ErrName] and says which byte is wrong. It is safe for concurrent use.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty; use 1 to %d of a-z 0-9 . _ - /", ErrName, MaxName)
	case len(name) > MaxName:
		return fmt.Errorf("%w: %q... has %d bytes; at most %d are allowed", ErrName, name[:20], len(name), MaxName)
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !nameByte(c) {
			return fmt.Errorf("%w: %q has %q at byte %d; use a-z 0-9 . _ - /", ErrName, name, c, i)
		}
	}
	return nil
}

func nameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '.' || c == '_' || c == '-' || c == '/'
}
