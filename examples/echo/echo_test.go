package echo_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/partywall/partywall/call"
	"github.com/partywall/partywall/call/calltest"
	"github.com/partywall/partywall/examples/echo"
)

func dial(t *testing.T) *call.Conn {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skipf("partywall cannot serve on %s yet", runtime.GOOS)
	}
	return calltest.Dial(t, echo.Handle)
}

func TestEcho(t *testing.T) {
	conn := dial(t)
	for _, sent := range []echo.Message{
		{}, {Text: "hi", N: 3}, {Text: "Größe 大小 \x00", N: math.MinInt32}, {Text: strings.Repeat("long ", 100_000)},
	} {
		got, err := echo.Echo.Call(t.Context(), conn, sent)
		if diff := cmp.Diff(sent, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}

// The sums are compared with those that package big has.
func TestSum(t *testing.T) {
	conn := dial(t)
	numbers := []int64{0, 1, -1, 40, 2, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	for _, a := range numbers {
		for _, b := range numbers {
			want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
			got, err := echo.Sum.Call(t.Context(), conn, echo.Pair{A: a, B: b})
			if !want.IsInt64() {
				if remote := (*call.RemoteError)(nil); !errors.As(err, &remote) || remote.Panic || !strings.Contains(remote.Message, "beyond the range") {
					t.Errorf("%d + %d = %v, %v", a, b, got, err)
				}
				continue
			}
			if err != nil || got.Sum != want.Int64() {
				t.Errorf("%d + %d = %v, %v", a, b, got, err)
			}
		}
	}
}

// pattern is n bytes of which neighbours differ.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

var lengths = []int{0, 1, 2, 255, 4096, 1_000_003}

func TestBytes(t *testing.T) {
	conn := dial(t)
	for _, n := range lengths {
		if got, err := echo.Bytes.Call(t.Context(), conn, pattern(n)); err != nil || !bytes.Equal(got, pattern(n)) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
}

func TestReverse(t *testing.T) {
	conn := dial(t)
	for _, n := range lengths {
		want := pattern(n)
		slices.Reverse(want)
		_, got, err := echo.Reverse.CallBody(t.Context(), conn, struct{}{}, pattern(n), nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
}

func TestUpper(t *testing.T) {
	conn := dial(t)
	for _, text := range []string{"", "a", "Hello, wörld! @[`{ az AZ 09", strings.Repeat("abc ", 50_000)} {
		want := strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return r
			}
			return unicode.ToUpper(r)
		}, text)
		changed := uint64(0)
		for i := range text {
			if text[i] != want[i] {
				changed++
			}
		}
		err := echo.Upper.Lease(t.Context(), conn, len(text), func(l *call.Lease[struct{}, echo.Changed]) error {
			copy(l.Body, text)
			if err := l.Do(t.Context()); err != nil {
				return err
			}
			if string(l.Body) != want || l.Result.Changed != changed {
				t.Errorf("%.40q has become %.40q, %d changed; want %d", text, l.Body, l.Result.Changed, changed)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestSleep(t *testing.T) {
	conn := dial(t)
	start := time.Now()
	if _, err := echo.Sleep.Call(t.Context(), conn, echo.Pause{Milliseconds: 20}); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("it slept %v of 20 ms: %v", time.Since(start), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	// That the handler has ended with its caller is seen at the test's end, which waits
	// for handlers.
	if _, err := echo.Sleep.Call(ctx, conn, echo.Pause{Milliseconds: math.MaxUint32}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
