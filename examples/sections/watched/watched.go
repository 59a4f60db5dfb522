// Package watched is article B's scenario with sections that are watched, on any system: a main
// process presses Test, two others each answer with a value, and the main process
// is told.
//
// In the article the values lie in two shared sections of a DLL, and window messages say that they have
// changed. Here a section says so itself, and what was stored before somebody
// came is there when he comes: no order of starting loses anything.
package watched

import (
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall/section"
)

// Data is what SectionA and SectionB hold.
type Data struct {
	Value int32
	From  int32  // the process that has set it
	Press uint32 // the press of Test that it answers
}

// Test is what the main process changes.
type Test struct{ Presses uint32 }

const testName = "sections/test"

// dataName is the section of A or B.
func dataName(letter string) string { return "sections/" + letter }

// Answer sets the value of a section, "a" or "b", each time that Test is pressed, until the context ends. It calls
// ready when it is about to watch.
func Answer(ctx context.Context, letter string, data Data, ready func() error) error {
	test, err := section.Open[Test](testName)
	if err != nil {
		return err
	}
	defer test.Close()
	mine, err := section.Open[Data](dataName(letter))
	if err != nil {
		return err
	}
	defer mine.Close()
	if err := ready(); err != nil {
		return err
	}
	for change, err := range test.Watch(ctx) {
		if ctx.Err() != nil {
			return nil // in order
		}
		if err != nil {
			return err
		}
		data.Press = change.Value.Presses
		if err := mine.Store(data); err != nil {
			return err
		}
	}
	return nil
}

// A Response is what came of pressing Test.
type Response struct {
	Letter string
	Data   Data
}

// String returns the response as the article's main window shows it.
func (r Response) String() string {
	return fmt.Sprintf("%s response ,the data is :%d", r.Letter, r.Data.Value)
}

// Ask presses Test and returns both responses, or an error if the context ends first.
func Ask(ctx context.Context) ([]Response, error) {
	test, err := section.Open[Test](testName)
	if err != nil {
		return nil, err
	}
	defer test.Close()
	a, err := section.Open[Data](dataName("a"))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	b, err := section.Open[Data](dataName("b"))
	if err != nil {
		return nil, err
	}
	defer b.Close()

	var press uint32
	if err := test.Update(ctx, func(t *Test) error {
		t.Presses++
		press = t.Presses
		return nil
	}); err != nil {
		return nil, err
	}
	var responses []Response
	for i, s := range []*section.Section[Data]{a, b} {
		data, err := answerTo(ctx, s, press)
		if err != nil {
			return nil, err
		}
		responses = append(responses, Response{Letter: string("AB"[i]), Data: data})
	}
	return responses, nil
}

// answerTo waits for the answer to a press, or to a later one. An earlier one may come first, from who was slow.
func answerTo(ctx context.Context, s *section.Section[Data], press uint32) (Data, error) {
	for change, err := range s.Watch(ctx) {
		if err != nil || int32(change.Value.Press-press) >= 0 {
			return change.Value, err
		}
	}
	return Data{}, errors.New("the section has nothing to watch")
}
