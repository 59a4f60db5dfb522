package backing

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/partywall/partywall/internal/region"
)

func (f *Files) regionFile(generation uint64) string {
	return f.stem + ending + "." + strconv.FormatUint(generation, 10)
}

// Create implements [Backing].
func (f *Files) Create(generation uint64, size int) (*region.Region, error) {
	if err := f.named(); err != nil {
		return nil, err
	}
	// What was before the one that this follows has a name still if somebody has been killed
	// before he dropped it, or where a name stays as long as somebody has the file.
	if generation > 2 {
		_ = f.removeRegions(generation - 2)
	}
	name := f.regionFile(generation)
	if err := f.dir.Remove(name); err != nil {
		return nil, err
	}
	file, err := f.dir.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size = wholePages(size)
	if err := allocate(file, int64(size)); err != nil {
		f.dir.Remove(name)
		return nil, fmt.Errorf("room for %d bytes in %s: %w", size, f.dir.Path(), err)
	}
	r, err := region.MapFile(file, int64(size), false)
	if err != nil {
		f.dir.Remove(name)
	}
	return r, err
}

// Open implements [Backing].
func (f *Files) Open(generation uint64, readOnly bool) (*region.Region, error) {
	flags := os.O_RDWR
	if readOnly {
		flags = os.O_RDONLY
	}
	file, err := f.dir.Open(f.regionFile(generation), flags)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return region.MapFile(file, info.Size(), readOnly)
}

// Drop implements [Backing].
func (f *Files) Drop(generation uint64) {
	if f.named() == nil {
		_ = f.dir.Remove(f.regionFile(generation))
	}
}

// removeRegions removes the names of all regions up to a generation.
func (f *Files) removeRegions(last uint64) error {
	files, err := f.dir.Files()
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		if generation, ok := strings.CutPrefix(file, f.stem+ending+"."); ok {
			if g, err := strconv.ParseUint(generation, 10, 64); err == nil && g <= last {
				errs = append(errs, f.dir.Remove(file))
			}
		}
	}
	return errors.Join(errs...)
}
