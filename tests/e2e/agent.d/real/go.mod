module real

go 1.25.0

require (
	connectrpc.com/connect v1.19.1
	github.com/grafana/pyroscope/api v1.6.0
	go.opentelemetry.io/collector/component/componenttest v0.165.0
	go.opentelemetry.io/collector/confmap v1.71.0
	go.opentelemetry.io/collector/consumer/xconsumer v0.165.0
	go.opentelemetry.io/collector/pdata/pprofile v0.165.0
	go.opentelemetry.io/collector/receiver/otlpreceiver v0.165.0
	go.opentelemetry.io/collector/receiver/receivertest v0.165.0
	go.opentelemetry.io/collector/receiver/xreceiver v0.165.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)
