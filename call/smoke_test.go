package call

import (
	"context"
	"testing"
	"time"
)

type pair struct{ A, B int64 }
type sum struct{ S int64 }

var addM = NewMethod[pair, sum]("add")

func startServer(t testing.TB) (*Server, *Conn) {
	t.Setenv("PARTYWALL_DIR", t.TempDir()+"/run")
	srv, err := Listen("smoke")
	if err != nil {
		t.Fatal(err)
	}
	addM.Handle(srv, func(ctx context.Context, in *In[pair], out *Out[sum]) error {
		out.Result.S = in.Arg.A + in.Arg.B
		if len(in.Body()) > 0 {
			b, err := out.Body(len(in.Body()))
			if err != nil {
				return err
			}
			copy(b, in.Body())
		}
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background()) }()
	c, err := Dial(context.Background(), "smoke", Expect(addM))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); srv.Close(); <-done })
	return srv, c
}

func TestSmoke(t *testing.T) {
	_, c := startServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for i := int64(0); i < 100000; i++ {
		r, err := addM.Call(ctx, c, pair{i, 1})
		if err != nil || r.S != i+1 {
			t.Fatal(r, err)
		}
	}
	r, b, err := addM.CallBody(ctx, c, pair{1, 2}, []byte("hello"), nil)
	if err != nil || r.S != 3 || string(b) != "hello" {
		t.Fatal(r, b, err)
	}
}

func BenchmarkSmoke(b *testing.B) {
	_, c := startServer(b)
	b.ReportAllocs()
	for b.Loop() {
		addM.Call(context.Background(), c, pair{1, 1})
	}
}

func BenchmarkSmokePar(b *testing.B) {
	_, c := startServer(b)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			addM.Call(context.Background(), c, pair{1, 1})
		}
	})
}
