package compare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WritePNG writes an image to a file. A file of that name is replaced when all is written,
// and left as it is after an error.
func WritePNG(ctx context.Context, path string, m image.Image) error {
	return writeFile(ctx, path, func(w io.Writer) error { return encodePNG(w, m) })
}

// writeFile has write fill a new file, which takes the place of the one at path when it
// is whole: a failure, or the context's end, leaves no part of a file. What is not a
// regular file, such as a device, is written to as it is.
func writeFile(ctx context.Context, path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	exists := err == nil
	switch {
	case exists && info.IsDir():
		return fmt.Errorf("write %s: it is a directory", path)
	case exists:
		// Whether the file may be written to is not asked when it is replaced.
		old, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fill(ctx, old, path, write)
		}
		old.Close()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	fresh := filepath.Join(filepath.Dir(path), fmt.Sprintf(".partial-%016x", rand.Uint64()))
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Unwrap(err))
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

// fill writes and closes. The file's own name may be one that the user has never seen.
func fill(ctx context.Context, file *os.File, path string, write func(io.Writer) error) error {
	err := errors.Join(write(&boundWriter{ctx, file}), file.Close())
	if system := (*os.PathError)(nil); errors.As(err, &system) {
		err = system.Err
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// boundWriter ends with a context.
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
