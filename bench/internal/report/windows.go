package report

import (
	"bytes"
	"fmt"
)

// Windows is what the command has measured as a Windows program under Wine. Wine is no Windows: what it says of one
// way against another holds for Wine.
type Windows struct {
	Wine   string        `json:"wine"`
	Invoke InvokeReport  `json:"invoke"`
	Calls  []CallsReport `json:"calls"`
}

// An InvokeReport is a part of what partywall bench invoke --json prints.
type InvokeReport struct {
	Rounds   int     `json:"rounds"`
	NineP50  float64 `json:"nine_steps_p50_ns"`
	NineP99  float64 `json:"nine_steps_p99_ns"`
	KeptP50  float64 `json:"cached_p50_ns"`
	KeptP99  float64 `json:"cached_p99_ns"`
	TCPP50   float64 `json:"tcp_p50_ns"`
	TCPP99   float64 `json:"tcp_p99_ns"`
	Ratio    float64 `json:"ratio_p50"`
	TCPRatio float64 `json:"tcp_ratio_p50"`
}

// A CallsReport is a part of what partywall bench call --json prints.
type CallsReport struct {
	Size      int     `json:"size"`
	PerSecond float64 `json:"ops_per_s"`
	P50       float64 `json:"p50_ns"`
	P99       float64 `json:"p99_ns"`
	P999      float64 `json:"p999_ns"`
}

func (w *Windows) print(b *bytes.Buffer) {
	fmt.Fprintf(b, "\nWindows, under %s\n", w.Wine)
	grid(b, func(row func(...any)) {
		row("", "p50", "p99")
		row("article A, nine steps", Duration(w.Invoke.NineP50), Duration(w.Invoke.NineP99))
		row("cached invoke", Duration(w.Invoke.KeptP50), Duration(w.Invoke.KeptP99))
		row("TCP on loopback", Duration(w.Invoke.TCPP50), Duration(w.Invoke.TCPP99))
		for _, c := range w.Calls {
			row("partywall Call, "+Bytes(c.Size), Duration(c.P50), Duration(c.P99))
		}
	})
}
