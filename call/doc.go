// Package call makes synchronous calls to another process on the same machine,
// whose argument and result lie in memory that both processes have mapped.
//
// A service has a name and methods. Client and server share the methods as
// package variables:
//
//	type Pair struct{ A, B int64 }
//	type Sum struct{ Sum int64 }
//
//	var Add = call.NewMethod[Pair, Sum]("add")
//
// The server listens, adds a handler for each method, and serves:
//
//	srv, err := call.Listen("calculator")
//	Add.Handle(srv, func(ctx context.Context, in *call.In[Pair], out *call.Out[Sum]) error {
//		out.Result.Sum = in.Arg.A + in.Arg.B
//		return nil
//	})
//	err = srv.Serve(ctx)
//
// A client dials once and calls as often as it likes, from as many goroutines as
// it likes:
//
//	conn, err := call.Dial(ctx, "calculator", call.Expect(Add))
//	defer conn.Close()
//	sum, err := Add.Call(ctx, conn, Pair{40, 2})
//
// # Types
//
// Argument and result have a fixed layout: numbers of a stated size, bools,
// arrays and structs of those, at most 65,536 bytes each. They are copied into
// shared memory and out of it as they are. Bytes of any number, up to a
// gigabyte, go beside them as bodies: see [Method.CallBody], [In.Body] and
// [Out.Body].
//
// # How a call ends
//
// With its result, or with one of these errors, which are all different:
// a [*RemoteError] from the handler, the context's error,
// [partywall.ErrPeerGone] if the server died (nobody knows whether the call took
// effect), [partywall.ErrShutdown] if the server did not take it,
// [partywall.ErrProtocol] if the server broke the protocol, [os.ErrClosed] if
// this process closed the conn.
//
// # Speed
//
// While both processes are awake on processors of their own, a call that is
// answered within two microseconds makes no system call. A process with
// nothing to do spins for about as long as a wake would cost, if the recent past
// promises that this helps, and then sleeps. An idle conn costs no processor
// time and no thread. Neither side allocates for a call without a body whose
// context cannot end; a context that can end costs the server one small object.
//
// # Trust
//
// A service is reached by processes of its own user only. What the peer can
// write is loaded once and checked before use. A body is the exception that a
// handler has to know: it is the client's memory, and can change while it is read.
//
// docs/PROTOCOL.md tells the whole story.
package call
