package winmsg

import "testing"

func TestParseMessage(t *testing.T) {
	for _, test := range []struct {
		text string
		want Message
		back string
	}{
		{"WM_USER+100", 0x464, "WM_USER+100"},
		{" wm_user + 0x64 ", 0x464, "WM_USER+100"},
		{"WM_USER", 0x400, "WM_USER"},
		{"0x464", 0x464, "WM_USER+100"},
		{"1124", 0x464, "WM_USER+100"},
		{"WM_APP+1", 0x8001, "WM_APP+1"},
		{"WM_COPYDATA", 0x4a, "WM_COPYDATA"},
		{"bm_click", 0xf5, "BM_CLICK"},
		{"0", 0, "WM_NULL"},
		{"0x12", 0x12, "0x12"},
		{"0xc123", 0xc123, "0xc123"},
		{"0xffff", 0xffff, "0xffff"},
	} {
		if m, err := ParseMessage(test.text); err != nil || m != test.want || m.String() != test.back {
			t.Errorf("%q is %#x %v, %v; want %#x %s", test.text, uint32(m), m, err, uint32(test.want), test.back)
		}
	}
	for _, text := range []string{"", "WM_FOO", "WM_USER+", "WM_USER+x", "-1", "0x10000", "WM_APP+0x8000", "+1", "WM_USER+4294967296", "1+-1"} {
		if m, err := ParseMessage(text); err == nil {
			t.Errorf("%q is taken for %v", text, m)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("WM_USER+100")
	f.Add("0x10000")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMessage(text)
		if err != nil {
			return
		}
		if again, err := ParseMessage(m.String()); err != nil || again != m {
			t.Errorf("%q is %v, which is read as %v, %v", text, m, again, err)
		}
	})
}
