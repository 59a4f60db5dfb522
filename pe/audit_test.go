package pe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clean is a file in which an audit finds nothing: the plain one with the linker's
// promises, and a section for more, which is the third.
func clean() sketch {
	s := plain()
	s.directories[DirBaseReloc] = Directory{relocRVA, 20}
	s.words16(relocRVA+8, 10<<12|8, 3<<12|16, 4<<12|24, 0x8000, 0, 10<<12|0x3F8)
	s.sections = append(s.sections, Section{
		Name: "own", VirtualSize: 0x1000, VirtualAddress: 0x3000, RawSize: 0x200, RawOffset: 0x800, Flags: Initialised | Read | Write,
	})
	s.size, s.sizeOfImage = 0xA00, 0x4000
	return s
}

// promises of a linker, in DllCharacteristics.
const promises = DynamicBase | NXCompat | HighEntropyVA

// An audited file is a clean one with something wrong, and what is found in it.
type audited struct {
	name            string
	characteristics uint16 // 0: promises; DllCharacteristics cannot be 0 here
	change          func(s *sketch)
	bytes           func(b []byte)
	checksum        bool
	want            string // rules, severities and sections
	fails           bool
	message         string // a part of the first one
}

func (a *audited) draw() []byte {
	k := clean()
	if a.change != nil {
		a.change(&k)
	}
	b := k.draw()
	characteristics := a.characteristics
	if characteristics == 0 {
		characteristics = promises
	}
	if at := k.lfanew + 24 + 70; at+2 <= len(b) {
		binary.LittleEndian.PutUint16(b[at:], characteristics)
	}
	if a.bytes != nil {
		a.bytes(b)
	}
	return b
}

func own(flags SectionFlags) func(*sketch) {
	return func(s *sketch) { s.sections[2].Flags = flags }
}

// auditedFiles are the files of TestAudit and the seeds of FuzzAudit.
func auditedFiles() []audited {
	const rws, rs, none = Initialised | Read | Write | Shared, Initialised | Read | Shared, TerminalServer
	// A relocation, the table of imported addresses, in the third section.
	relocated := func(s *sketch) { s.words32(relocRVA, 0x3000, 8+6*2) }
	return []audited{
		{name: "clean"},
		{name: "clean32", change: func(s *sketch) {
			s.machine, s.pe32 = I386, true
			s.putImports()
		}, characteristics: DynamicBase | NXCompat},
		{name: "shared", change: own(rws), want: "PW1001 error own", message: `section 3, "own", of 4096 bytes at address 0x3000 is shared and writable (rws)`},
		{name: "shared-and-executed", change: own(rws | Execute), want: "PW1001 error own, PW1002 error own"},
		{name: "writable-and-executable", change: own(Code | Read | Write | Execute), want: "PW1002 error own", message: "(rwe)"},
		{name: "relocations", change: func(s *sketch) { own(rws)(s); relocated(s) }, want: "PW1001 error own, PW1003 error own"},
		{name: "relocations-read-only", change: func(s *sketch) { own(rs)(s); relocated(s) }, want: "PW1003 warning own, PW1007 note own", message: "holds 4 addresses that the loader adjusts, the lowest at 0x3008"},
		{name: "relocation-half-in", change: func(s *sketch) {
			own(rs)(s)
			s.words16(relocRVA+8, 10<<12|0xFF9, 0, 0, 0, 0, 0)
		}, want: "PW1003 warning own, PW1007 note own", message: "holds 1 addresses that the loader adjusts, the lowest at 0x2ff9"},
		{name: "relocation-before", change: func(s *sketch) {
			own(rs)(s)
			s.words16(relocRVA+8, 10<<12|0xFF8, 3<<12|0xFFC, 1<<12|0xFFE, 0, 0, 0)
		}, want: "PW1007 note own"},
		{name: "imports", change: func(s *sketch) {
			own(rs)(s)
			s.words32(importRVA, importRVA+0x40, 0, 0, textRVA+0x40, 0x3100, 0, 0, 0, 0, 0)
		}, want: "PW1004 warning own, PW1007 note own", message: "the addresses of 2 imported symbols, the lowest at 0x3100"},
		{name: "imports-writable", change: func(s *sketch) {
			own(rws)(s)
			s.directories[DirIAT] = Directory{0x3100, 24}
			s.words32(importRVA, importRVA+0x40, 0, 0, textRVA+0x40, 0x3100, 0, 0, 0, 0, 0)
		}, want: "PW1001 error own, PW1004 error own, PW1005 error own"},
		{name: "directory", change: func(s *sketch) { own(rws)(s); s.directories[DirTLS] = Directory{0x3080, 40} }, want: "PW1001 error own, PW1005 error own"},
		{name: "directory-read-only", change: func(s *sketch) { own(rs)(s); s.directories[DirTLS] = Directory{0x3080, 40} }, want: "PW1007 note own"},
		{name: "uninitialised", change: own(Uninitialised | Read | Write | Shared), want: "PW1001 error own, PW1006 warning own"},
		{name: "no-raw-data", change: func(s *sketch) { own(rws)(s); s.sections[2].RawSize = 0 }, want: "PW1001 error own, PW1006 warning own"},
		{name: "no-kind", change: own(Read | Write | Shared), want: "PW1001 error own, PW1006 warning own"},
		{name: "read-only", change: own(rs), want: "PW1007 note own", message: "(rs)"},
		{name: "data-shared", change: func(s *sketch) { own(rws)(s); s.sections[2].Name = ".bss" }, want: "PW1001 error .bss, PW1008 warning .bss"},
		{name: "resources-shared-read-only", change: func(s *sketch) { own(rs)(s); s.sections[2].Name = ".rsrc" }, want: "PW1007 note .rsrc"},
		{name: "code-writable", change: func(s *sketch) { s.sections[0].Flags |= Write }, want: "PW1002 error .text, PW1008 warning .text"},
		{name: "constants-writable", change: func(s *sketch) { s.sections[2].Name = ".rdata" }, want: "PW1008 warning .rdata", message: "the flags rw; such a section never has w"},
		{name: "twice", change: func(s *sketch) { s.sections[2].Name = ".data" }, want: "PW1009 note .data", message: "has the name of section 2 at address 0x2000"},
		{name: "no-promises", characteristics: none, want: "PW1010 warning , PW1011 warning , PW1012 note ", message: "DllCharacteristics is 0x8000, without DYNAMIC_BASE (0x0040): the image is always at 0x140000000"},
		{name: "no-promises-32", characteristics: none, change: func(s *sketch) { s.machine, s.pe32 = I386, true; s.putImports() }, want: "PW1010 warning , PW1011 warning "},
		{name: "no-promises-arm64", characteristics: none, change: func(s *sketch) { s.machine = ARM64 }, want: "PW1010 warning , PW1011 warning , PW1012 note ", message: "Windows for ARM64 does not load it"},
		{name: "no-promises-efi", characteristics: none, bytes: func(b []byte) { b[0x80+24+68] = SubsystemEFIApplication }, want: "PW1011 warning "},
		{name: "relocations-stripped", bytes: func(b []byte) { b[0x80+22] |= FileRelocsStripped }, want: "PW1010 warning ", message: "RELOCS_STRIPPED"},
		{name: "truncated", change: func(s *sketch) { s.size = 0x9FF }, want: "PW1013 error own", message: "512 bytes of data at offset 0x800, and the file ends 1 bytes too early, at 0x9ff"},
		{name: "checksum-wrong", checksum: true, bytes: func(b []byte) { b[0x80+24+checkSumOffset] = 1 }, want: "PW1014 warning ", message: "CheckSum is 0x00000001, and that of the 2560 bytes"},
		{name: "checksum-not-asked", bytes: func(b []byte) { b[0x80+24+checkSumOffset] = 1 }},
		{name: "checksum-absent", checksum: true},
		{name: "tables-damaged", change: func(s *sketch) {
			own(rws)(s)
			s.words32(relocRVA, 0x3000, 0xFFFF)
			s.directories[DirImport] = Directory{0xFFFFFF00, 40}
		}, want: "PW1001 error own", fails: true},
		{name: "tables-damaged-and-nothing-shared", change: func(s *sketch) { s.words32(relocRVA, 0x3000, 0xFFFF) }},
	}
}

func TestAudit(t *testing.T) {
	fired := map[string]bool{}
	for _, a := range auditedFiles() {
		t.Run(a.name, func(t *testing.T) {
			b := a.draw()
			f, err := New(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			findings, err := AuditOptions{Checksum: a.checksum}.Audit(f)
			if a.fails != errors.Is(err, ErrFormat) || !a.fails && err != nil {
				t.Errorf("error %v", err)
			}
			var got []string
			for _, x := range findings {
				fired[x.RuleID] = true
				got = append(got, fmt.Sprintf("%s %s %s", x.RuleID, x.Severity, x.Section))
				checkFinding(t, f, x)
			}
			if diff := cmp.Diff(a.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%s\n%v", diff, findings)
			}
			if len(findings) > 0 && !strings.Contains(findings[0].Message, a.message) {
				t.Errorf("%q has no %q", findings[0].Message, a.message)
			}
		})
	}
	for _, r := range Rules() {
		if !fired[r.ID] {
			t.Errorf("no file for %s, %s", r.ID, r.Name)
		}
	}
}

// checkFinding: it is of a rule, is no worse than that, and is in the file.
func checkFinding(t *testing.T, f *File, x Finding) {
	t.Helper()
	r := ruleOf(x.RuleID)
	if x.Severity < SeverityNote || x.Severity > r.Severity {
		t.Errorf("%v is of a severity that %v has not", x, r)
	}
	if x.Offset <= 0 || x.Length <= 0 || x.Offset+x.Length > f.Size {
		t.Errorf("%v is not in the %d bytes of the file", x, f.Size)
	}
	if x.Message == "" || strings.ContainsFunc(x.Message, func(r rune) bool { return r < ' ' }) {
		t.Errorf("message %q", x.Message)
	}
}

// The checksum of a file that has the right one is no finding.
func TestAuditChecksumRight(t *testing.T) {
	a := audited{}
	b := a.draw()
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := f.ComputeChecksum()
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[f.Offsets.CheckSum:], sum)
	if f, err = New(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
	if findings, err := (AuditOptions{Checksum: true}).Audit(f); err != nil || findings != nil {
		t.Errorf("%v, %v", findings, err)
	}
}

// countedReads counts the calls of ReadAt.
type countedReads struct {
	*bytes.Reader
	n int
}

func (c *countedReads) ReadAt(b []byte, off int64) (int, error) {
	c.n++
	return c.Reader.ReadAt(b, off)
}

// An audit reads nothing that opening has not read, unless a section is shared.
func TestAuditReads(t *testing.T) {
	for name, more := range map[string]bool{"clean": false, "no-promises": false, "code-writable": false, "relocations": true} {
		i := slices.IndexFunc(auditedFiles(), func(a audited) bool { return a.name == name })
		b := auditedFiles()[i].draw()
		r := &countedReads{Reader: bytes.NewReader(b)}
		f, err := New(r, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		opened := r.n
		if _, err := Audit(f); err != nil || (r.n > opened) != more {
			t.Errorf("%s: %d reads to open it, %d more to audit it, %v", name, opened, r.n-opened, err)
		}
	}
}

// However many sections are wrong, the findings are few.
func TestAuditManySections(t *testing.T) {
	const n = 60000
	a := audited{change: func(s *sketch) {
		for range n {
			s.sections = append(s.sections, Section{Name: "many", VirtualSize: 1, VirtualAddress: 0x3000, Flags: Read | Write | Execute | Shared})
		}
		s.lfanew = s.size // behind what is drawn over it
		s.size += 4096 + n*sectionHeaderSize
	}}
	b := a.draw()
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	findings, err := Audit(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) > 5*maxFindings {
		t.Errorf("%d findings", len(findings))
	}
	if last := findings[maxFindings-1]; !strings.HasSuffix(last.Message, "; and 59900 more findings of PW1001") {
		t.Errorf("the last of a rule says %q", last.Message)
	}
}

func TestRules(t *testing.T) {
	for i, r := range Rules() {
		if want := fmt.Sprintf("PW%d", 1001+i); r.ID != want {
			t.Errorf("rule %d is %s, not %s", i, r.ID, want)
		}
		var s Severity
		if err := s.UnmarshalText([]byte(r.Severity.String())); err != nil || s != r.Severity {
			t.Errorf("%s: severity %v, %v", r.ID, s, err)
		}
		if !strings.HasSuffix(r.Explanation, ".") || strings.Contains(r.Explanation, ". ") {
			t.Errorf("%s: %q is not one sentence", r.ID, r.Explanation)
		}
		if r.Name == "" || r.Help == "" || !strings.HasPrefix(r.URL, "https://") {
			t.Errorf("%+v lacks something", r)
		}
	}
	var s Severity
	if err := s.UnmarshalText([]byte("fatal")); err == nil {
		t.Error("a severity that is none")
	}
}

// What this package builds has no weakness but the one that is asked for.
func TestAuditDLL(t *testing.T) {
	for _, machine := range []Machine{AMD64, ARM64, I386} {
		d := DLL{Name: "x.dll", Machine: machine, Vars: []Var{
			{Section: "shared", Name: "a", Type: Int32, Getter: "getA", Setter: "setA"},
			{Section: "private", Name: "b", Type: Int64, Private: true},
		}}
		var b bytes.Buffer
		if _, err := d.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		f, err := New(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		findings, err := AuditOptions{Checksum: true}.Audit(f)
		if err != nil || len(findings) != 1 || findings[0].RuleID != RuleWritableShared || findings[0].Section != "shared" {
			t.Errorf("%v: %v, %v", machine, findings, err)
		}
	}
}
