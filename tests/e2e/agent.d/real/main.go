// SPDX-License-Identifier: BSD-2-Clause

// Command real DIR receives what the agent sends with code that is not ours: Pyroscope's own
// handlers of push.v1, the OTLP receiver of OpenTelemetry's collector, and a gRPC server in
// place of Parca's. It keeps what comes in DIR/pyroscope, DIR/otlp and DIR/parca, and writes
// the three addresses to DIR/addresses.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"connectrpc.com/connect"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/xconsumer"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/receiver/xreceiver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

var n atomic.Int64

func keep(kind string, data []byte) error {
	dir := filepath.Join(os.Args[1], kind)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	name := filepath.Join(dir, fmt.Sprintf("%032d", n.Add(1)))
	if err := os.WriteFile(name+".new", data, 0o666); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return l
}

type pusher struct{}

func (pusher) Push(_ context.Context, r *connect.Request[pushv1.PushRequest]) (*connect.Response[pushv1.PushResponse], error) {
	data, err := proto.Marshal(r.Msg)
	if err == nil {
		err = keep("pyroscope", data)
	}
	return connect.NewResponse(&pushv1.PushResponse{}), err
}

func pyroscope() string {
	mux := http.NewServeMux()
	mux.Handle(pushv1connect.NewPusherServiceHandler(pusher{}))
	l := listen()
	go func() { log.Fatal(http.Serve(l, mux)) }()
	return l.Addr().String()
}

func otlp() string {
	l := listen()
	address := l.Addr().String()
	l.Close()
	factory := otlpreceiver.NewFactory().(xreceiver.Factory)
	config := factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"http": map[string]any{"endpoint": address}}}).Unmarshal(config)
	if err != nil {
		log.Fatal(err)
	}
	sink, err := xconsumer.NewProfiles(func(_ context.Context, p pprofile.Profiles) error {
		data, err := (&pprofile.ProtoMarshaler{}).MarshalProfiles(p)
		if err != nil {
			return err
		}
		return keep("otlp", data)
	})
	if err != nil {
		log.Fatal(err)
	}
	r, err := factory.CreateProfiles(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	if err == nil {
		err = r.Start(context.Background(), componenttest.NewNopHost())
	}
	if err != nil {
		log.Fatal(err)
	}
	return address
}

// raw is a message as it came.
type raw []byte

type codec struct{}

func (codec) Marshal(v any) ([]byte, error)     { return *v.(*raw), nil }
func (codec) Unmarshal(data []byte, v any) error { *v.(*raw) = append(raw{}, data...); return nil }
func (codec) Name() string                       { return "proto" }

func parca() string {
	handler := func(_ any, s grpc.ServerStream) error {
		var in, out raw
		if method, _ := grpc.MethodFromServerStream(s); method != "/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw" {
			return fmt.Errorf("method %s", method)
		}
		if err := s.RecvMsg(&in); err != nil {
			return err
		}
		if err := s.RecvMsg(new(raw)); err != io.EOF {
			return fmt.Errorf("more than one message: %v", err)
		}
		s.SetTrailer(metadata.MD{})
		if err := keep("parca", in); err != nil {
			return err
		}
		return s.SendMsg(&out)
	}
	l := listen()
	server := grpc.NewServer(grpc.UnknownServiceHandler(handler), grpc.ForceServerCodec(codec{}))
	go func() { log.Fatal(server.Serve(l)) }()
	return l.Addr().String()
}

func main() {
	text := fmt.Sprintln(pyroscope(), otlp(), parca())
	name := filepath.Join(os.Args[1], "addresses")
	if err := os.WriteFile(name+".new", []byte(text), 0o666); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		log.Fatal(err)
	}
	select {}
}
