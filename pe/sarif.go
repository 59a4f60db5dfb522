package pe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// A Report is what an audit says of a file.
type Report struct {
	// File is the path of the file. One that is not absolute stays so, as
	// readers of SARIF want it.
	File     string
	Machine  Machine
	Findings []Finding
	// Err is why the file, or a table in it, could not be read.
	Err error
}

// Module is the root of this module, where the tool is at home.
const module = "github.com/partywall/partywall"

// WriteSARIF writes reports as one run in SARIF 2.1.0, the Static Analysis Results
// Interchange Format, which code hosts, editors and build systems read
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). The same reports are
// the same bytes. Where a finding is in its file is a region of bytes.
func WriteSARIF(w io.Writer, reports []Report) error {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "partywall", InformationURI: "https://" + module, Version: version(), Rules: sarifRules()}},
		Results: []sarifResult{},
	}
	invocation := sarifInvocation{ExecutionSuccessful: true}
	for _, r := range reports {
		artifact := sarifArtifact{uri(r.File)}
		for _, f := range r.Findings {
			run.Results = append(run.Results, newSARIFResult(artifact, f))
		}
		if r.Err != nil {
			invocation.ExecutionSuccessful = false
			invocation.Notifications = append(invocation.Notifications, sarifNotification{
				Level: "error", Message: sarifText{r.Err.Error()}, Locations: []sarifLocation{{sarifPhysical{Artifact: artifact}}},
			})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// version is this module's in the program that it is a part of, or "" if that is not known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	i := slices.IndexFunc(modules, func(m *debug.Module) bool { return m.Path == module })
	if i < 0 || modules[i].Version == "(devel)" {
		return ""
	}
	return modules[i].Version
}

func sarifRules() []sarifRule {
	var all []sarifRule
	for _, r := range rules {
		all = append(all, sarifRule{
			ID: r.ID, Name: r.Name, HelpURI: r.URL, ShortDescription: sarifText{r.Explanation}, Help: sarifText{r.Help},
			Configuration: sarifConfiguration{r.Severity}, Properties: sarifProperties{[]string{"security"}},
		})
	}
	return all
}

func newSARIFResult(artifact sarifArtifact, f Finding) sarifResult {
	region := &sarifRegion{ByteOffset: f.Offset, ByteLength: f.Length}
	return sarifResult{
		RuleID: f.RuleID, RuleIndex: slices.IndexFunc(rules, func(r Rule) bool { return r.ID == f.RuleID }),
		Level: f.Severity, Message: sarifText{f.Message},
		Locations:    []sarifLocation{{sarifPhysical{artifact, region}}},
		Fingerprints: map[string]string{"ruleFileSection/v1": fingerprint(f.RuleID, artifact.URI, f.Section)},
	}
}

// fingerprint says which findings are the same in two versions of a file, whose offsets
// and sizes differ.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:16])
}

// uri writes a path as SARIF has it: relative, or if it is absolute with the scheme file,
// and what is not allowed in one percent-encoded.
func uri(file string) string {
	volume := filepath.VolumeName(file)
	p := path.Clean(filepath.ToSlash(file[len(volume):]))
	u := url.URL{Path: p}
	switch share := filepath.ToSlash(volume); {
	case strings.HasPrefix(share, "//"): // \\host\share
		u.Scheme = "file"
		u.Host, u.Path, _ = strings.Cut(share[2:]+p, "/")
		u.Path = "/" + u.Path
	case volume != "" || path.IsAbs(p):
		u.Scheme = "file"
		u.Path = path.Join("/", volume, p)
		return "file://" + u.EscapedPath()
	}
	return u.String()
}
