package imaging

import (
	"bytes"
	"hash/crc32"
	"testing"
)

func TestSample(t *testing.T) {
	const width, height = 320, 240
	shared := make([]byte, 4*width*height+5)
	first, err := Sample(shared, width, height, 0)
	if err != nil {
		t.Fatal(err)
	}
	if &first.Pix[0] != &shared[0] {
		t.Error("not drawn into the memory given")
	}
	if !bytes.Equal(first.Pix, mustSample(t, width, height, 0).Pix) {
		t.Error("drawn twice, differs")
	}
	// The same bytes on every system and processor.
	for variant, want := range map[int]uint32{0: 0x4634a10c, 1: 0xce3997d3} {
		if got := crc32.ChecksumIEEE(mustSample(t, width, height, variant).Pix); got != want {
			t.Errorf("variant %d: checksum %#x, want %#x", variant, got, want)
		}
	}
	r, err := Compare(first, mustSample(t, width, height, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Equal() || r.PSNR < 15 || r.PSNR > 40 || r.SSIM < 0.8 || r.SSIM > 0.99 {
		t.Errorf("%+v", r)
	}
	t.Logf("%+v", r)
}

func TestSampleOfEverySize(t *testing.T) {
	for width := 1; width < 40; width += 3 {
		for height := 1; height < 40; height += 3 {
			left, right := mustSample(t, width, height, 0), mustSample(t, width, height, -1)
			if r, err := Compare(left, right, nil); err != nil || width > 10 && height > 10 && r.Equal() {
				t.Errorf("%dx%d: %+v, %v", width, height, r, err)
			}
		}
	}
	if _, err := Sample(nil, 0, 4, 0); !matches(err, "has no area") {
		t.Error(err)
	}
	if _, err := Sample(make([]byte, 15), 2, 2, 0); !matches(err, "too few") {
		t.Error(err)
	}
}
