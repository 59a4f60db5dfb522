package pe

import (
	"fmt"
	"slices"
)

// A Rule is one of the things that [Audit] looks for.
type Rule struct {
	// ID is "PW1001" and so on. A rule keeps its ID for good.
	ID string
	// Name says what is wrong in a word, such as "WritableSharedSection".
	Name string
	// Severity is that of the rule's findings. Some are less severe, and say why.
	Severity Severity
	// Explanation is one sentence.
	Explanation string
	// Help says what to do.
	Help string
	// URL is a page to read.
	URL string
}

// A Severity says how bad a finding is. A larger one is worse.
type Severity int

const (
	SeverityNote    Severity = iota + 1 // worth knowing
	SeverityWarning                     // weakens the program, or is a mistake
	SeverityError                       // lets others change what a program does, or does not load
)

var severities = map[Severity]string{SeverityNote: "note", SeverityWarning: "warning", SeverityError: "error"}

// String returns "note", "warning" or "error", as SARIF has them.
func (s Severity) String() string {
	if text, ok := severities[s]; ok {
		return text
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// MarshalText returns what [Severity.String] does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "note", "warning" or "error".
func (s *Severity) UnmarshalText(text []byte) error {
	for value, name := range severities {
		if name == string(text) {
			*s = value
			return nil
		}
	}
	return fmt.Errorf("severity %q: note, warning and error are possible", text)
}

// Identifiers of rules.
const (
	RuleWritableShared     = "PW1001"
	RuleWritableExecutable = "PW1002"
	RuleSharedRelocations  = "PW1003"
	RuleSharedImports      = "PW1004"
	RuleSharedDirectory    = "PW1005"
	RuleSharedWithoutData  = "PW1006"
	RuleReadOnlyShared     = "PW1007"
	RuleReservedName       = "PW1008"
	RuleDuplicateName      = "PW1009"
	RuleNoDynamicBase      = "PW1010"
	RuleNoNXCompat         = "PW1011"
	RuleNoHighEntropyVA    = "PW1012"
	RuleTruncatedSection   = "PW1013"
	RuleWrongChecksum      = "PW1014"
)

// Rules returns the rules in the order of their IDs.
func Rules() []Rule { return slices.Clone(rules) }

const (
	pageFormat  = "https://learn.microsoft.com/windows/win32/debug/pe-format"
	pageSection = "https://learn.microsoft.com/cpp/build/reference/section-specify-section-attributes"
	pageSDL     = "https://msdn.microsoft.com/library/windows/desktop/cc307397.aspx"
	pageBinSkim = "https://github.com/microsoft/binskim/blob/main/docs/BinSkimRules.md"
	pageDynamic = "https://learn.microsoft.com/cpp/build/reference/dynamicbase-use-address-space-layout-randomization"
	pageNX      = "https://learn.microsoft.com/cpp/build/reference/nxcompat-compatible-with-data-execution-prevention"
	pageEntropy = "https://learn.microsoft.com/cpp/build/reference/highentropyva-support-64-bit-aslr"
	pageRelease = "https://learn.microsoft.com/cpp/build/reference/release-set-the-checksum"
)

var rules = []Rule{
	{
		ID: RuleWritableShared, Name: "WritableSharedSection", Severity: SeverityError, URL: pageBinSkim,
		Explanation: "A section that is shared and writable is one copy of memory for all processes that load the file, and whoever may load it may write it.",
		Help: "Put what processes share into named memory with a security descriptor (CreateFileMapping), and take s out of the section's flags: no /SECTION:name,rws and no comment(linker) that says so. " +
			"Where the section has to stay, treat what is in it as foreign input, and let only those who are trusted open the file. " +
			"BinSkim has this as BA2019, DoNotMarkWritableSectionsAsShared; Microsoft's SDL forbids shared sections: " + pageSDL,
	},
	{
		ID: RuleWritableExecutable, Name: "WritableExecutableSection", Severity: SeverityError, URL: pageBinSkim,
		Explanation: "A section that can be written and executed lets whoever can write into the process run code of their own there.",
		Help: "Separate code and data, and give no section the flags w and e together: look for /SECTION:name,erw, for /MERGE of a data section into .text, and for packers. " +
			"A program that makes code asks for the memory at run time and takes the right to write back before it runs. BinSkim has this as BA2021, DoNotMarkWritableSectionsAsExecutable.",
	},
	{
		ID: RuleSharedRelocations, Name: "SharedSectionWithRelocations", Severity: SeverityError, URL: pageSection,
		Explanation: "A shared section holds addresses of the image, which are right in one process only, as each may have the image elsewhere.",
		Help: "Keep pointers out of shared sections: store offsets or indexes, and move tables of functions, strings' addresses and objects with virtual functions into a section that is not shared. " +
			"In one that is read only, a warning: the loader changes the addresses before anybody sees them.",
	},
	{
		ID: RuleSharedImports, Name: "SharedSectionWithImports", Severity: SeverityError, URL: pageSection,
		Explanation: "A shared section holds addresses of other libraries, which a loader writes for one process and all others then call.",
		Help: "Link the import tables into a section of their own: do not /MERGE .idata or .rdata into a shared section, and declare nothing in it that is imported. " +
			"In one that is read only, a warning.",
	},
	{
		ID: RuleSharedDirectory, Name: "WritableSharedDirectory", Severity: SeverityError, URL: pageFormat,
		Explanation: "A table that the loader or the system trusts, such as that of the exports, lies in a section that every process can write.",
		Help:        "Give the shared variables a section that holds nothing else; a linker puts tables where /MERGE and comment(linker) tell it to.",
	},
	{
		ID: RuleSharedWithoutData, Name: "SharedSectionWithoutData", Severity: SeverityWarning, URL: "https://learn.microsoft.com/cpp/preprocessor/data-seg",
		Explanation: "A writable shared section has no data in the file, so it is not what a linker makes of initialised variables.",
		Help: "Initialise every variable that is to be shared, be it with 0: a compiler puts the others into .bss, which is not shared, whatever #pragma data_seg says. " +
			"The section needs the flag for initialised data, and raw data in the file.",
	},
	{
		ID: RuleReadOnlyShared, Name: "ReadOnlySharedSection", Severity: SeverityNote, URL: pageSection,
		Explanation: "A section is shared but not writable, which shares nothing that other sections do not: processes share the pages that none of them writes.",
		Help:        "Take s out of the flags. If the section was meant to be shared between processes it lacks w. Some linkers set the flag on every read-only section, which does no harm.",
	},
	{
		ID: RuleReservedName, Name: "ReservedSectionName", Severity: SeverityWarning, URL: pageFormat,
		Explanation: "A section has a name that linkers use for themselves, with flags that such a section never has.",
		Help: "Name a section of your own otherwise, in at most 8 bytes, or leave the flags of .text, .data and the like as the linker sets them: " +
			"all that they hold, and not only your variables, gets the flags. A packer or an infection can be the reason too.",
	},
	{
		ID: RuleDuplicateName, Name: "DuplicateSectionName", Severity: SeverityNote, URL: pageFormat,
		Explanation: "Several sections have the same name, and a program that looks for one by its name finds the first.",
		Help:        "Give them names that differ in the first 8 bytes: an image has no longer ones. Parts of a section whose flags differ are kept apart by linkers.",
	},
	{
		ID: RuleNoDynamicBase, Name: "NoDynamicBase", Severity: SeverityWarning, URL: pageDynamic,
		Explanation: "The image is not moved to a random address, so whoever attacks the process knows where its code is.",
		Help:        "Link with /DYNAMICBASE, the default of Microsoft's linker (GNU ld: --dynamicbase; Go: -buildmode=pie), and keep the relocations: no /FIXED. BinSkim has this as BA2009.",
	},
	{
		ID: RuleNoNXCompat, Name: "NoNXCompat", Severity: SeverityWarning, URL: pageNX,
		Explanation: "The image does not say that it works where data cannot be executed, so Windows may let its 32-bit process execute data.",
		Help:        "Link with /NXCOMPAT (GNU ld: --nxcompat). 64-bit processes have the protection in any case, and the flag costs nothing. BinSkim has this as BA2016.",
	},
	{
		ID: RuleNoHighEntropyVA, Name: "NoHighEntropyVA", Severity: SeverityNote, URL: pageEntropy,
		Explanation: "A 64-bit image does not ask for random addresses out of the whole address space, so that they are easier to guess.",
		Help:        "Link with /HIGHENTROPYVA, the default for 64-bit images (GNU ld: --high-entropy-va), and /LARGEADDRESSAWARE. BinSkim has this as BA2015.",
	},
	{
		ID: RuleTruncatedSection, Name: "TruncatedSection", Severity: SeverityError, URL: pageFormat,
		Explanation: "The data of a section ends behind the end of the file, so Windows does not load it.",
		Help:        "The file is cut off, as by a download that broke, or was patched wrongly: get or build it again.",
	},
	{
		ID: RuleWrongChecksum, Name: "WrongChecksum", Severity: SeverityWarning, URL: pageRelease,
		Explanation: "The checksum in the header is not that of the file, which was changed after it was linked, and which Windows does not load as a driver or at boot.",
		Help:        "Find out what changed the file. Those who patch files compute the checksum last; a linker sets it with /RELEASE, and 0 means that there is none.",
	},
}

// ruleOf finds a rule by its ID.
func ruleOf(id string) *Rule {
	return &rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}
