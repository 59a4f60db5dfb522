// Package outfile writes a program's output to a file that is there whole or not at all.
package outfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Check returns the error that [Write] would return, as far as it can be known before
// there is anything to write.
func Check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("write %s: %w", path, systemError(err))
		}
		return nil
	}
	if info.IsDir() {
		return fmt.Errorf("write %s: it is a directory", path)
	}
	if !info.Mode().IsRegular() {
		return nil // to open it can have an effect
	}
	// Whether the file may be written to is not asked when it is replaced.
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, systemError(err))
	}
	return file.Close()
}

// Write has write fill a new file, which takes the place of the one at path when it is
// whole, and gets its mode: a failure, or the context's end, leaves no part of a file, and
// what was there before as it was. A link is followed. What is not a regular file, such
// as a device, is written to as it is.
//
// The errors name path, and not the new file, which its user has never seen.
func Write(ctx context.Context, path string, write func(io.Writer) error) error {
	if err := Check(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	exists := err == nil
	if exists && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("write %s: %w", path, systemError(err))
		}
		return fill(ctx, file, path, write)
	}
	if exists {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	fresh := filepath.Join(filepath.Dir(path), fmt.Sprintf(".partial-%016x", rand.Uint64()))
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, systemError(err))
	}
	err = fill(ctx, file, path, write)
	if err == nil && exists {
		err = os.Chmod(fresh, info.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh)
	}
	return err
}

// fill writes and closes.
func fill(ctx context.Context, file *os.File, path string, write func(io.Writer) error) error {
	if err := errors.Join(write(Bound(ctx, file)), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, systemError(err))
	}
	return nil
}

// systemError is the system's error without the path that it was about.
func systemError(err error) error {
	if system := (*os.PathError)(nil); errors.As(err, &system) {
		return system.Err
	}
	return err
}

// Bound returns a writer to w that fails with the context's error once that has ended.
func Bound(ctx context.Context, w io.Writer) io.Writer { return &boundWriter{ctx, w} }

type boundWriter struct {
	ctx context.Context
	w   io.Writer
}

func (b *boundWriter) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.w.Write(p)
}
