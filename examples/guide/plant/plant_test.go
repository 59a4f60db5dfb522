package plant_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/examples/guide/plant"
	"github.com/partywall/partywall/section"
)

func TestPlant(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := plant.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := plant.AddJob(ctx, s); err == nil {
		t.Error("a plant that does not run has jobs")
	}
	if err := plant.Start(s, "line 1"); err != nil {
		t.Fatal(err)
	}
	watched, ended := make(chan string, 10), make(chan error, 1)
	watching, end := context.WithCancel(ctx)
	go func() {
		ended <- plant.Report(watching, s, func(a ...any) (int, error) {
			watched <- fmt.Sprintln(a...)
			return 0, nil
		})
	}()
	if got := <-watched; got != "1 0 0\n" {
		t.Error(got)
	}
	if err := plant.AddJob(ctx, s); err != nil {
		t.Fatal(err)
	}
	if got := <-watched; got != "2 0 1\n" {
		t.Error(got)
	}
	end()
	if err := <-ended; err == nil {
		t.Error("the loop has ended without an error")
	}
	if got, err := plant.Show(s); err != nil || got != "line 1: 20.5 degrees, 1 jobs" {
		t.Error(got, err)
	}
	if err := plant.Start(s, strings.Repeat("x", 33)); plant.Explain(err) != "the value does not fit; open the section with a larger MaxSize" {
		t.Error(err)
	}
}

func TestRecipe(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	for round := range 2 {
		s, err := plant.OpenRecipe()
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Load()
		if err != nil || len(r.Steps) != round {
			t.Error(r, err)
		}
		if err := s.Store(plant.Recipe{Title: "bread", Steps: []string{strings.Repeat("knead ", 100_000)}}); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	if err := section.Remove("plant/recipe"); err != nil {
		t.Error(err)
	}
	if err := section.Remove("plant/recipe"); plant.Explain(err) != "no process has it open, and it is not kept" {
		t.Error(err)
	}
}

func TestFrame(t *testing.T) {
	t.Setenv("PARTYWALL_DIR", filepath.Join(t.TempDir(), "run"))
	s, err := section.Open[plant.Frame]("plant/camera")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := new(plant.Frame)
	f[7][9] = 77
	if v, err := s.StoreFrom(f); err != nil || v != 1 {
		t.Fatal(v, err)
	}
	if b, v, err := plant.Brightest(s, new(plant.Frame)); err != nil || b != 77 || v != 1 {
		t.Error(b, v, err)
	}
	if got := plant.Explain(partywall.ErrLayout); !strings.Contains(got, "another kind") || plant.Explain(nil) != "done" {
		t.Error(got)
	}
}
