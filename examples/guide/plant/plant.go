// Package plant is the section that docs/GUIDE.md shows. All code in the guide is from here, or from the
// folder above.
package plant

import (
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/section"
)

// Plant is what the processes of a plant share. It has a fixed layout.
type Plant struct {
	Temperature float64
	Jobs        uint32
	Running     bool
	Name        [32]byte
}

// Open creates the section, or joins it.
func Open() (*section.Section[Plant], error) {
	return section.Open[Plant]("plant/line1")
}

// Start stores a whole value.
func Start(s *section.Section[Plant], name string) error {
	p := Plant{Temperature: 20.5, Running: true}
	if err := section.PutText(p.Name[:], name); err != nil {
		return err
	}
	return s.Store(p)
}

// Show loads it.
func Show(s *section.Section[Plant]) (string, error) {
	p, err := s.Load()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %.1f degrees, %d jobs", section.Text(p.Name[:]), p.Temperature, p.Jobs), nil
}

// AddJob changes it.
func AddJob(ctx context.Context, s *section.Section[Plant]) error {
	return s.Update(ctx, func(p *Plant) error {
		if !p.Running {
			return errors.New("the plant does not run")
		}
		p.Jobs++
		return nil
	})
}

// Report prints each new value until the context ends.
func Report(ctx context.Context, s *section.Section[Plant], print func(...any) (int, error)) error {
	for change, err := range s.Watch(ctx) {
		if err != nil {
			return err
		}
		print(change.Version, change.Skipped, change.Value.Jobs)
	}
	return nil
}

// A Recipe has a string and a list, so it is a document.
type Recipe struct {
	Title string   `json:"title"`
	Steps []string `json:"steps,omitempty"`
}

// OpenRecipe opens a section whose values may be long.
func OpenRecipe() (*section.Section[Recipe], error) {
	return section.Open[Recipe]("plant/recipe", section.MaxSize(1<<20), section.Keep())
}

// A Frame is too large to be handed around.
type Frame [1080][1920]uint32

// Brightest looks at a frame where it has copied it to, and says which version that was.
func Brightest(s *section.Section[Frame], f *Frame) (brightest uint32, version uint64, err error) {
	if version, err = s.LoadTo(f); err != nil {
		return 0, 0, err
	}
	for _, row := range f {
		for _, v := range row {
			brightest = max(brightest, v)
		}
	}
	return brightest, version, nil
}

// Explain tells what has gone wrong apart.
func Explain(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, partywall.ErrLayout):
		return "a program uses another kind for a field"
	case errors.Is(err, partywall.ErrBusy):
		return "another process is in the way, and does not get on; nothing was stored"
	case errors.Is(err, partywall.ErrTooLarge):
		return "the value does not fit; open the section with a larger MaxSize"
	case errors.Is(err, partywall.ErrNotFound):
		return "no process has it open, and it is not kept"
	case errors.Is(err, partywall.ErrAccess):
		return "it is another user's, or open for reading only"
	}
	return err.Error()
}
