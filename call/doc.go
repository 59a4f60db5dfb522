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
// Any Go value can be an argument or a result. Numbers of a stated size, bools, arrays
// and structs of those, up to 64 KiB, have a fixed layout: they are copied into shared
// memory and out of it as they are. A []byte too. Anything else travels as a CBOR
// document: [NewMethod] tells how, and how a service grows while old clients run.
//
// Bytes of any number, up to a gigabyte, go beside argument and result as bodies: see
// [Method.CallBody], [In.Body] and [Out.Body].
//
// # Without copies
//
// A method made by [NewInPlace] works on argument, result and body where they lie, in
// memory that both processes have mapped: the client in a function that has a [Lease],
// the handler with a [Loan].
//
// # What else there is
//
// [Method.Go] begins a call and does not wait for it. [Start] has Dial start the server
// if nobody serves. [Intercept] puts functions around all calls, for logs and metadata.
// [Conn.Describe] and [List] say what services there are and how they are used, and a
// [Dynamic] calls a method that this program does not know, in JSON. Package calltest
// gives a test a service and a conn in one process.
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
// nothing to do spins for about as long as a wake would cost (a server up to four
// times as long where requests come at a steady pace), if the recent past
// promises that this helps, and then sleeps. An idle conn costs no processor
// time and no thread. Neither side allocates for a call of fixed layouts without a body
// whose context cannot end; a context that can end costs the server one small object.
//
// # Trust
//
// A service is reached by processes of its own user only. What the peer can
// write is loaded once and checked before use; documents are copied before they are
// decoded. A body, and whatever a [Loan] or a [Lease] points to, is the exception that one
// has to know: it is the other side's memory too, and can change while it is read.
//
// docs/PROTOCOL.md tells the whole story.
package call
