package call_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/call"
)

// What a group shares lies in a directory of its own, and is found by those who say the group. Wine has one user and one
// session, and its files have no access lists: that members are let in, and others kept out, is not tried here, but for
// who such a list lets in, which internal/rendezvous tests.
func TestGroup(t *testing.T) {
	prepare(t)
	dir := filepath.Join(t.TempDir(), "shared")
	for _, group := range []string{"S-1-5-32-545", "S-1-5-4"} { // the users, and those at the desktop
		where := []call.Option{call.Dir(dir + group), call.Group(group), call.AnySession()}
		srv, err := call.Listen("shared", where[0], where[1], where[2])
		if err != nil {
			t.Fatal(err)
		}
		addM.Handle(srv, func(_ context.Context, in *call.In[[2]int64], out *call.Out[number]) error {
			out.Result.N = in.Arg[0] + in.Arg[1]
			return nil
		})
		served := make(chan error, 1)
		go func() { served <- srv.Serve(context.Background()) }()
		c, err := call.Dial(t.Context(), "shared", where[0], where[1], where[2])
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := addM.Call(t.Context(), c, [2]int64{40, 2}); err != nil || sum.N != 42 {
			t.Error(sum, err)
		}
		c.Close()
		srv.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
	_, err := call.Dial(t.Context(), "shared", call.Group("no such group"))
	wantErr(t, err, partywall.ErrNotFound)
	wantText(t, err, "no such group")
}
