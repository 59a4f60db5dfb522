package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/pe"
)

// runPe runs a command below pe in this process.
func runPe(t *testing.T, cmd *cobra.Command, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// sign puts what is no signature where a signature would be.
func sign(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pe.New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	at := f.Offsets.Directories + 8*pe.DirSecurity
	binary.LittleEndian.PutUint32(data[at:], uint32(len(data)))
	binary.LittleEndian.PutUint32(data[at+4:], 16)
	if err := os.WriteFile(path, append(data, make([]byte, 16)...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A signed file is patched only if its signature may go.
func TestPatchSigned(t *testing.T) {
	for name, args := range map[string][]string{
		"share": {"--section", "SectionA:rw"},
		"add":   {"--section", "Counter:rws", "--size", "1K"},
	} {
		t.Run(name, func(t *testing.T) {
			make := map[string]func() *cobra.Command{"share": newPeShare, "add": newPeAdd}[name]
			path := sectionDLL(t, 1) // with room for one more section
			sign(t, path)
			if r := reportOf(t, path); r.Signature == nil || r.Signature.Size != 16 {
				t.Fatalf("%+v", r.Signature)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			args = append([]string{path}, args...)
			out, err := runPe(t, make(), args...)
			want := "patch " + path + ": the file is signed, and a change makes the signature invalid; have it stripped, and sign the result (--strip-signature does that)"
			if out != "" || !errors.Is(err, pe.ErrSigned) || err.Error() != want {
				t.Errorf("%q, %v; want %q", out, err, want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
			out, err = runPe(t, make(), append(args, "--strip-signature", "--json")...)
			if err != nil {
				t.Fatal(err)
			}
			var said struct {
				Size     int64 `json:"size"`
				Stripped bool  `json:"signature_stripped"`
			}
			if err := json.Unmarshal([]byte(out), &said); err != nil || !said.Stripped {
				t.Errorf("%v %s", err, out)
			}
			r := reportOf(t, path)
			if r.Signature != nil || r.Overlay != nil || r.Size != said.Size || r.Checksum.Stored != r.Checksum.Computed {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "4096": 4096, "0x1000": 4096, "64K": 64 << 10, "64k": 64 << 10, "1M": 1 << 20, "2G": 2 << 30, "2147483648": 1 << 31,
		"": 0, "0": 0, "0K": 0, "K": 0, "-1": 0, "2147483649": 0, "3G": 0, "9999999G": 0, "1KB": 0, "1.5M": 0, " 1": 0, "0x1K": 0, "99999999999999999999": 0,
	} {
		got, err := parseSize(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

// The package's prefix goes, and what only ends like it stays.
func TestPlainPE(t *testing.T) {
	for text, want := range map[string]string{
		"pe: no such section":            "no such section",
		"patch a: pe: x: pe: y":          "patch a: x: y",
		"variable of this type: pe: odd": "variable of this type: odd",
		"type: one":                      "type: one",
		"open a.pe: no such file":        "open a.pe: no such file",
	} {
		if got := plainPE(errors.New(text)).Error(); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
