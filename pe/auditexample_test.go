package pe_test

import (
	"fmt"

	"github.com/partywall/partywall/pe"
)

func ExampleAudit() {
	f, err := pe.Open("testdata/plain.dll")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	findings, err := pe.Audit(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range findings {
		fmt.Printf("%v %s: %s\n", x.Severity, x.RuleID, x.Message)
	}
	// Output:
	// warning PW1010: DllCharacteristics is 0x0000, without DYNAMIC_BASE (0x0040): the image is always at 0x140000000 if that is free
	// warning PW1011: DllCharacteristics is 0x0000, without NX_COMPAT (0x0100): a 64-bit process has the protection in any case
	// note PW1012: DllCharacteristics is 0x0000, without HIGH_ENTROPY_VA (0x0020): of the 64 bits of the image's address fewer are random
}
