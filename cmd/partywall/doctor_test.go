package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/internal/doctor"
)

func TestDoctorVerdict(t *testing.T) {
	good := doctor.Finding{ID: "good", Title: "Good", Status: doctor.OK, Seen: "it is"}
	odd := doctor.Finding{ID: "odd-one", Title: "Odd one", Status: doctor.Warning, Seen: "it is odd", Means: "It is slow.", Advice: "Replace it."}
	bad := doctor.Finding{ID: "bad", Title: "Größe", Status: doctor.Failed, Seen: "a\x1b[31m\nb", Means: "Nothing works.", Advice: "Mend it."}
	worse := doctor.Finding{ID: "worse", Title: "Worse", Status: doctor.Failed, Seen: "gone", Means: "Nothing works.", Advice: "Find it."}
	skipped := doctor.Finding{ID: "skipped", Title: "Skipped", Status: doctor.Unknown, Seen: "not tried, because of: bad", Advice: "Mend that first."}
	for _, test := range []struct {
		what   string
		report doctorReport
		want   doctorReport
		text   string
	}{
		{"all well", doctorReport{Call: &callReport{}, Findings: []doctor.Finding{good, odd}},
			doctorReport{Works: true, StoppedBy: []string{}, Verdict: "Calls work here."},
			`ok       Good     it is
warning  Odd one  it is odd
           It is slow.
           What to do: Replace it.

Calls work here.
`},
		{"nothing failed, no call", doctorReport{Findings: []doctor.Finding{good}},
			doctorReport{Works: true, StoppedBy: []string{}, Verdict: "Calls should work here, but none was tried."},
			"ok       Good  it is\n\nCalls should work here, but none was tried.\n"},
		{"broken", doctorReport{Findings: []doctor.Finding{bad, skipped, worse}},
			doctorReport{StoppedBy: []string{"bad", "worse"}, Verdict: "Calls do not work here, because of: bad, worse."},
			`failed   Größe    a?[31m b
           Nothing works.
           What to do: Mend it.
unknown  Skipped  not tried, because of: bad
failed   Worse    gone
           Nothing works.
           What to do: Find it.

Calls do not work here, because of: bad, worse.
`},
	} {
		t.Run(test.what, func(t *testing.T) {
			got := test.report
			got.judge()
			test.want.Findings, test.want.Call = got.Findings, got.Call
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			var out bytes.Buffer
			if err := got.print(&out); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got.Program.String()+"\n\n"+test.text, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// After something failed no call is tried, and the first cause is named.
func TestDoctorCallNotTried(t *testing.T) {
	r := doctorReport{Findings: []doctor.Finding{{ID: "a", Status: doctor.Failed}, {ID: "b", Status: doctor.Failed}}}
	r.tryCall(t.Context())
	last := r.Findings[len(r.Findings)-1]
	if r.Call != nil || last.ID != "call" || last.Status != doctor.Unknown || last.Seen != "not tried, because of: a, b" {
		t.Errorf("%+v", last)
	}
}
