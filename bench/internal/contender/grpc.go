package contender

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// gRPC is google.golang.org/grpc over a Unix socket, with a service registered by hand whose messages
// are google.protobuf.BytesValue: real protobuf messages, without protoc. All goroutines share one
// connection, which is what it is made for.
type gRPC struct{}

const (
	grpcMethod = "/partywall.bench.Echo/Echo"
	grpcMax    = MaxSize + 1<<10
)

var grpcService = grpc.ServiceDesc{
	ServiceName: "partywall.bench.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Echo",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in wrapperspb.BytesValue
			if err := decode(&in); err != nil {
				return nil, err
			}
			Answer(in.Value, in.Value)
			return &in, nil
		},
	}},
}

func (gRPC) Serve(ctx context.Context, dir string, ready func(string)) error {
	l, err := unixListen(dir)
	if err != nil {
		return err
	}
	srv := grpc.NewServer(grpc.MaxRecvMsgSize(grpcMax), grpc.MaxSendMsgSize(grpcMax))
	srv.RegisterService(&grpcService, nil)
	defer context.AfterFunc(ctx, srv.Stop)()
	ready("unix://" + l.Addr().String())
	return srv.Serve(l)
}

func (gRPC) Dial(_ context.Context, address string) (Conn, error) {
	c, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(grpcMax), grpc.MaxCallSendMsgSize(grpcMax)))
	if err != nil {
		return nil, err
	}
	return gRPCConn{c}, nil
}

type gRPCConn struct{ *grpc.ClientConn }

func (c gRPCConn) Caller(int) (Caller, error) {
	return CallerFunc(func(ctx context.Context, arg, result []byte) error {
		var answer wrapperspb.BytesValue
		err := c.Invoke(ctx, grpcMethod, &wrapperspb.BytesValue{Value: arg}, &answer)
		return delivered(result, answer.Value, err)
	}), nil
}
