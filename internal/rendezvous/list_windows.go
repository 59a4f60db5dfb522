package rendezvous

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/partywall/partywall"
)

func names(place Place) ([]string, error) {
	dir, err := place.Open(false)
	if errors.Is(err, partywall.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	defer dir.Close()
	files, err := dir.Files()
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	var served []string
	for _, file := range files {
		stem, ok := strings.CutSuffix(file, ".lock")
		if !ok {
			continue
		}
		if pipe, name, err := dir.signature(stem); err == nil && pipeExists(pipe) {
			served = append(served, name)
		}
	}
	slices.Sort(served)
	return served, nil
}
