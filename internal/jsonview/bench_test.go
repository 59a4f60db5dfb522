package jsonview_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/document"
	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/jsonview"
)

// The rate is that of the JSON.
func benchmark(b *testing.B, text []byte, f func()) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

func BenchmarkDocument(b *testing.B) {
	type row struct {
		ID    int64
		Name  string
		When  time.Time
		Price float64
		Tags  map[string]string
	}
	rows := make([]row, 20000)
	for i := range rows {
		rows[i] = row{int64(i), "a name of some length", time.Unix(int64(i), 0).UTC(), float64(i) / 3, map[string]string{"colour": "red", "size": "large"}}
	}
	small := make([]int, 1<<20)
	records := make([]any, 100000)
	for i := range records {
		records[i] = map[string]any{"id": int64(i), "ok": true, "name": "x"}
	}
	for name, v := range map[string]any{"rows": rows, "integers": small, "any": records} {
		s := documentSchema(b, reflect.TypeOf(v))
		doc := must(document.Marshal(v))
		text := must(jsonview.DocumentToJSON(s, doc))
		b.Run("ToJSON/"+name, func(b *testing.B) {
			benchmark(b, text, func() { must(jsonview.DocumentToJSON(s, doc)) })
		})
		b.Run("FromJSON/"+name, func(b *testing.B) {
			benchmark(b, text, func() { must(jsonview.DocumentFromJSON(s, text)) })
		})
	}
}

func BenchmarkFixed(b *testing.B) {
	typ := must(fixed.Of[struct {
		Samples [1 << 18]float32
		Points  [1000]point
	}]())
	value := make([]byte, typ.Size())
	for i := range value {
		value[i] = byte(i * 7)
	}
	text := must(jsonview.FixedToJSON(typ.Schema(), value))
	b.Run("ToJSON", func(b *testing.B) {
		benchmark(b, text, func() { must(jsonview.FixedToJSON(typ.Schema(), value)) })
	})
	b.Run("FromJSON", func(b *testing.B) {
		benchmark(b, text, func() { must(jsonview.FixedFromJSON(typ.Schema(), text)) })
	})
}
