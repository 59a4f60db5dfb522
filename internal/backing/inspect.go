package backing

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/rendezvous"
)

// Stem returns what the files of a name are called, without their endings.
func Stem(name string) string { return rendezvous.Stem(name) }

// Stems returns what the files of a place's sections are called, without their endings and in
// order; none if the directory is missing.
func Stems(place Place) ([]string, error) {
	if place.Group != "" { // a group that is not there is an error
		if err := place.CheckGroup(); err != nil {
			return nil, err
		}
	}
	dir, err := openPlace(place, false)
	if errors.Is(err, partywall.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	files, err := dir.Files()
	if err != nil {
		return nil, err
	}
	var stems []string
	for _, file := range files {
		if stem, ok := strings.CutSuffix(file, ending); ok && stem != "" {
			stems = append(stems, stem)
		}
	}
	slices.Sort(stems)
	return stems, nil
}

// Inspect opens the files of a stem for somebody who only looks: for reading, with neither the
// name lock nor a mark. Of its methods, Anchor, Anyone, Alive, Built, Open of a region for reading, and Close
// may be called. The error wraps [os.ErrNotExist] or [partywall.ErrNotFound] if there are none.
func Inspect(place Place, stem string) (_ *Files, err error) {
	dir, err := openPlace(place, false)
	if err != nil {
		return nil, err
	}
	f := &Files{dir: dir, stem: stem, mine: -1}
	if f.file, err = dir.Open(stem+ending, os.O_RDONLY); err == nil {
		err = f.mapAnchor(true)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Built reports whether nobody has the name lock: else the section may be half made, or half removed.
func (f *Files) Built() bool { return !locked(f.file, nameByte, 1) }

// Path returns where the anchor's file is.
func (f *Files) Path() string { return f.dir.Path() + "/" + f.stem + ending }
