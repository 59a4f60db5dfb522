package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/winmsg"
)

// invoking is one run of invoke.
type invoking struct {
	sender
	structText  string
	packed, hex bool

	layout *structSpec
}

func newWinInvoke() *cobra.Command {
	var i invoking
	cmd := &cobra.Command{
		Use:   "invoke",
		Short: "Have a window work on a struct in its memory",
		Long: `Write a struct into a block of memory in the window's process, send the window a
message with the struct's size in wParam and the block's address in lParam, and
print what the window has made of the struct, and its answer.

--struct has the fields in their order, each as NAME:TYPE=VALUE, with commas between
them. A value that is left out is zero. The types are

  i8 i16 i32 i64        signed whole numbers (int8_t, int16_t, int or LONG, int64_t)
  u8 u16 u32 u64        unsigned ones (BYTE, WORD, DWORD, UINT64); 0x is possible
  f32 f64               float and double; NaN and Inf are possible
  bool                  a byte, true or false (Windows' BOOL is an i32)
  i32[4]                an array, of any of these: NAME:i32[4]=1;2;3;4
  bytes[16]             a text in UTF-8, or 0x and bytes in hex
  text16[16]            a text in UTF-16, as WCHAR name[16]

A text with a comma, or with blanks at its ends, stands in quotation marks. The rest
of an array or a text is zero. Fields lie where a C compiler puts them, with padding
between them and at the end; --packed is for a struct without padding, such as one
under #pragma pack(1).

With --json, texts and NaN, +Inf and -Inf are strings, arrays are arrays, and all
other values are numbers, each with all of its digits.

A window that answers -1 has refused the request: the exit status is 1. A window
that does not know the message answers 0 and leaves the struct as it is; standard
error says so. One that has not answered within --timeout gets the message all the
same, and the block stays in its process for that.`,
		Example: `  partywall win invoke --title CompareServer --msg WM_USER+100 --struct 'red:f64=3333,blue:f64=20.01'
  partywall win invoke --title Recorder --msg WM_APP+7 --struct 'id:u32=7,name:text16[32]="a, b",ok:bool' --json
  partywall win invoke --pid 4711 --class Sums --msg 0x464 --struct 'n:i32[4]=1;2;3;4,sum:i64' --wait 5s --hex`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return i.run(cmd) },
	}
	i.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&i.structText, "struct", "", "the struct's `fields`, NAME:TYPE=VALUE,...")
	f.BoolVar(&i.packed, "packed", false, "the struct has no padding")
	f.BoolVar(&i.hex, "hex", false, "print the struct's bytes too")
	return cmd
}

func (i *invoking) check(cmd *cobra.Command) (err error) {
	if err := i.sender.check(cmd); err != nil {
		return err
	}
	if i.msg < winmsg.User {
		return usagef(cmd, "--msg %s: messages below WM_USER mean something else to the system", i.msgText)
	}
	if !cmd.Flags().Changed("struct") {
		return usagef(cmd, "which struct? --struct 'red:f64=3333,blue:f64=20.01' is an example")
	}
	if i.layout, err = parseStruct(i.structText, i.packed); err != nil {
		return &inputError{fmt.Errorf("--struct: %w", err)}
	}
	return nil
}

func (i *invoking) run(cmd *cobra.Command) error {
	if err := i.check(cmd); err != nil {
		return err
	}
	sent := i.layout.bytes()
	data := append([]byte(nil), sent...)
	answer, err := i.invoke(cmd.Context(), data)
	if err != nil {
		return err
	}
	if answer == 0 && string(data) == string(sent) {
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), "the struct is as it was sent; a window that does not know the message answers 0 too"); err != nil {
			return err
		}
	}
	if i.asJSON {
		return printJSON(cmd.OutOrStdout(), i.report(answer, data))
	}
	_, err = io.WriteString(cmd.OutOrStdout(), i.text(answer, data))
	return err
}

// invokeReport is what invoke prints.
type invokeReport struct {
	Answer int64           `json:"answer"`
	Fields json.RawMessage `json:"fields"`
	Hex    string          `json:"hex,omitempty"`
}

func (i *invoking) report(answer uintptr, data []byte) invokeReport {
	r := invokeReport{Answer: signed(answer), Fields: i.layout.json(data)}
	if i.hex {
		r.Hex = hex.EncodeToString(data)
	}
	return r
}

func (i *invoking) text(answer uintptr, data []byte) string {
	var b strings.Builder
	b.WriteString(i.layout.lines(data))
	b.WriteString(answerLine(answer))
	if i.hex {
		b.WriteString(hex.Dump(data))
	}
	return b.String()
}
