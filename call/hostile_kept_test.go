//go:build linux || windows

package call

import (
	"bytes"
	"fmt"
	"math"
	"os"
)

// bulk asks for a result's body of a bytes and a result of b, in slot 0.
func (l *lyingClient) bulk(a, b int64, fields requestFields) (responseFields, error) {
	l.argument(0, a, b)
	fields.method, fields.argLen = bulkNumber, pairSize
	answer, err := l.ask(0, fields)
	if err == nil && (int64(answer.bodyLen) != a || int64(answer.resultLen) != b) {
		err = fmt.Errorf("%+v for a result's body of %d bytes and a result of %d", answer, a, b)
	}
	return answer, err
}

// fetches has a result kept, and fetches it into 64 KiB with those fields.
func fetches(a, b int64, fields requestFields) func(*lyingClient) error {
	return func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		if answer, err := l.bulk(a, b, requestFields{}); err != nil || answer.status != statusKept {
			return fmt.Errorf("what is to be kept: %+v, %w", answer, err)
		}
		fields.flags |= flagFetch
		fields.region = 1
		answer, err := l.ask(0, fields)
		if err == nil {
			err = l.check() // a conn that is ended is answered first
		}
		if err != nil {
			return err
		}
		if want := bulk(uint64(a), uint64(b)); answer.status != statusDone || answer.bodyLen != want {
			return fmt.Errorf("the fetch is answered with %+v, want %d bytes", answer, want)
		}
		return bulkIn(f, int64(bodyOffset(fields.bodyLen)), a, b)
	}
}

// bulkIn checks a body and a result that lie in f.
func bulkIn(f *os.File, at, a, b int64) error {
	body, result := make([]byte, a), make([]byte, b)
	_, errBody := f.ReadAt(body, at)
	_, err := f.ReadAt(result, at+int64(bodyOffset(uint64(a))))
	if n, m := bytes.Count(body, []byte{'b'}), bytes.Count(result, []byte{'r'}); int64(n) != a || int64(m) != b {
		return fmt.Errorf("%d of %d bytes of the body and %d of %d of the result are there: %w, %w", n, a, m, b, errBody, err)
	}
	return nil
}

// keptResultLies are lies about results that have no room.
var keptResultLies = []clientLie{
	{name: "bulk-in-region", want: served, lie: func(l *lyingClient) error {
		f, err := l.lendHonest(page64K)
		if err != nil {
			return err
		}
		answer, err := l.bulk(64, page64K-64, requestFields{region: 1})
		if err != nil || answer.status != statusDone {
			return fmt.Errorf("%+v, %w", answer, err)
		}
		return bulkIn(f, 0, 64, page64K-64)
	}},
	{name: "bulk-one-too-many-for-the-region", want: served, lie: func(l *lyingClient) error {
		if _, err := l.lendHonest(page64K); err != nil {
			return err
		}
		answer, err := l.bulk(64, page64K-63, requestFields{region: 1})
		if err != nil || answer.status != statusKept {
			return fmt.Errorf("%+v, %w", answer, err)
		}
		return l.askFor(0, fetch(0), statusDone)
	}},
	{name: "bulk-fetch-no-lie", want: served, lie: fetches(100, 1000, requestFields{})},
	{name: "bulk-fetch-fills-the-region", want: served, lie: fetches(64, page64K-64, requestFields{})},
	{name: "bulk-fetch-into-one-too-few", lie: fetches(64, page64K-63, requestFields{})},
	{name: "bulk-fetch-result-into-one-too-few", lie: fetches(0, page64K+1, requestFields{})},
	{name: "bulk-fetch-into-what-rounds", lie: fetches(65, page64K-127, requestFields{})},
	// A fetch has no argument, whatever it says.
	{name: "bulk-fetch-with-lengths", want: served, lie: fetches(100, 1000, requestFields{method: math.MaxUint32, argLen: math.MaxUint32, metaLen: math.MaxUint32})},
	{name: "bulk-fetch-with-body", want: served, lie: fetches(64, page64K-192, requestFields{bodyLen: 65})},
	{name: "bulk-fetch-with-body-in-the-way", lie: fetches(64, page64K-191, requestFields{bodyLen: 65})},
	{name: "bulk-fetch-with-body-wraps", lie: fetches(64, 1000, requestFields{bodyLen: wrapsTo0})},
	{name: "bulk-fetch-with-full-body", lie: fetches(64, 1000, requestFields{bodyLen: page64K})},
	// What is dropped, by a fetch or by the next call, counts no more.
	{name: "bulk-dropped", want: served, lie: func(l *lyingClient) error {
		const each = 1 << 20
		for i := range int(l.welcome.Quota)/(2*each)*4/3 + 5 {
			answer, err := l.bulk(each, each, requestFields{})
			if err != nil || answer.status != statusKept {
				return fmt.Errorf("call %d: %+v, %w", i, answer, err)
			}
			if i%4 == 0 {
				if err := l.askFor(0, fetch(0), statusDone); err != nil {
					return err
				}
			}
		}
		return nil
	}},
	{name: "bulk-kept-without-end", want: served, lie: func(l *lyingClient) error {
		const each = 32 << 20
		var kept int
		for i := range 10 {
			l.argument(i, each/2, each/2)
			fields, err := l.ask(i, ordinary(bulkNumber))
			if err != nil {
				return err
			}
			if fields.status == statusKept {
				kept++
			}
		}
		if most := int(l.welcome.Quota / each); kept != most {
			return fmt.Errorf("%d times %d bytes are kept, the quota allows %d times", kept, each, most)
		}
		return nil
	}},
}
