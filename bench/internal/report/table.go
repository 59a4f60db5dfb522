package report

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes the tables for people.
func (r *Report) Print(w io.Writer) error {
	var b bytes.Buffer
	r.printMachine(&b)
	r.printSeries(&b)
	r.printIdle(&b)
	r.printRest(&b)
	fmt.Fprintf(&b, "\n%s\n", r.Noise)
	_, err := w.Write(b.Bytes())
	return err
}

// grid writes rows whose cells are separated by tabs.
func grid(b *bytes.Buffer, rows func(row func(cells ...any))) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows(func(cells ...any) {
		for _, c := range cells {
			fmt.Fprint(t, c, "\t")
		}
		fmt.Fprintln(t)
	})
	t.Flush()
}

// Where says on what machine it was measured.
func (r *Report) Where() string {
	m := r.Machine
	return fmt.Sprintf("%s, %s, %d processors, %d MiB, kernel %s, %s", m.System, m.CPU, m.Processors, m.Memory>>20, m.Kernel, r.Versions["go"])
}

func (r *Report) printMachine(b *bytes.Buffer) {
	s := r.Settings
	fmt.Fprintln(b, r.Where())
	fmt.Fprintf(b, "%d rounds of %s, each contender in turn; medians over the rounds; %d MiB of live heap on both sides; every answer verified\n",
		s.Rounds, seconds(s.RoundTime), s.HeapMiB)
}

func (r *Report) printSeries(b *bytes.Buffer) {
	for _, c := range r.Cells() {
		fmt.Fprintf(b, "\n%s\n", c)
		grid(b, func(row func(...any)) {
			row("", "p50", "p99", "p99.9", "calls/s", "CPU client", "server", "allocs client", "server", "RSS client", "server")
			for _, s := range r.Series {
				if s.Cell != c {
					continue
				}
				m := s.Median
				row(s.Title, Duration(m.At(.5)), Duration(m.At(.99)), Duration(m.At(.999)), Grouped(m.PerSecond),
					percent(m.ClientCPU), percent(m.ServerCPU), allocs(m.ClientAllocs), allocs(m.ServerAllocs),
					mebibytes(m.ClientRSS), mebibytes(m.ServerRSS))
			}
		})
	}
}

// Cells are those that were measured, in their order.
func (r *Report) Cells() (cells []Cell) {
	seen := map[Cell]bool{}
	for _, s := range r.Series {
		if !seen[s.Cell] {
			seen[s.Cell] = true
			cells = append(cells, s.Cell)
		}
	}
	return cells
}

func (r *Report) printIdle(b *bytes.Buffer) {
	if len(r.Idle) == 0 {
		return
	}
	fmt.Fprintf(b, "\nidle for %s: both sides together; and the resident memory of one more conn\n", seconds(r.Settings.IdleTime))
	grid(b, func(row func(...any)) {
		row("", "context switches", "CPU", "memory client", "server")
		for _, i := range r.Idle {
			row(i.Title, i.ClientSwitches+i.ServerSwitches, Duration(float64(i.ClientCPU+i.ServerCPU)), kibibytes(i.ClientBytes), kibibytes(i.ServerBytes))
		}
	})
}

func (r *Report) printRest(b *bytes.Buffer) {
	if s := r.Section; s != nil {
		fmt.Fprintf(b, "\na section of 64 B, without others: Load %s, Store %s\n", Duration(s.LoadP50NS), Duration(s.StoreP50NS))
	}
	if r.Windows != nil {
		r.Windows.print(b)
	}
	if len(r.NotMeasured) > 0 {
		fmt.Fprintln(b, "\nnot measured")
	}
	for _, n := range r.NotMeasured {
		fmt.Fprintf(b, "  %s: %s\n", n.Contender, n.Why)
	}
}

// PrintGoals writes the goals and whether they are met.
func (r *Report) PrintGoals(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "GOAL\tMEASURED\tWANTED\t")
	for _, v := range r.Goals {
		said, measured := "met", number(v.Measured, v.Unit)
		switch {
		case v.Unknown:
			said, measured = "not measured", "–"
		case !v.Met:
			said = "NOT MET"
		}
		if v.Noisy {
			said += ", noisy"
		}
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\n", v.Goal, measured, v.Sense, number(v.Limit, v.Unit), said)
	}
	t.Flush()
	if r.Noise.Noisy {
		fmt.Fprintln(&b, r.Noise)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func number(x float64, unit string) string {
	switch {
	case unit == "ns":
		return Duration(x)
	case unit == "×" && x >= 10:
		return fmt.Sprintf("%.0f ×", x)
	case unit == "×":
		return fmt.Sprintf("%.2f ×", x)
	case x != 0 && x < 10:
		return fmt.Sprintf("%.2g %s", x, unit)
	}
	return Grouped(x) + " " + unit
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

func allocs(x float64) string {
	if x < noAllocations {
		return "0"
	}
	return fmt.Sprintf("%.2f", x)
}

func mebibytes(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func kibibytes(n int64) string { return fmt.Sprintf("%d KiB", n>>10) }
