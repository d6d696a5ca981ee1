// grpc_health_probe asks a server for its gRPC health and tells it by an exit code, for the health
// check of a container. Flags and codes are those of the program of that name by grpc-ecosystem.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	healthy         = 0
	wrongArguments  = 1
	notConnected    = 2
	notAnswered     = 3
	notServing      = 4
	defaultDeadline = time.Second
)

type request struct {
	address, service        string
	connectTimeout, timeout time.Duration
}

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(arguments []string, out io.Writer) int {
	asked, err := parse(arguments, out)
	if errors.Is(err, flag.ErrHelp) {
		return healthy
	}
	if err != nil {
		return wrongArguments
	}
	said, code := ask(asked)
	fmt.Fprintln(out, said)
	return code
}

func parse(arguments []string, out io.Writer) (request, error) {
	var asked request
	flags := flag.NewFlagSet("grpc_health_probe", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&asked.address, "addr", "", "host:port of the server (required)")
	flags.StringVar(&asked.service, "service", "", "service to ask for (the server itself)")
	flags.DurationVar(&asked.connectTimeout, "connect-timeout", defaultDeadline, "to connect in")
	flags.DurationVar(&asked.timeout, "rpc-timeout", defaultDeadline, "to be answered in")
	if err := flags.Parse(arguments); err != nil {
		return asked, err
	}
	if asked.address == "" || flags.NArg() > 0 {
		fmt.Fprintln(out, "error: -addr HOST:PORT is required, and there are no other arguments")
		return asked, errors.New("wrong arguments")
	}
	return asked, nil
}

func ask(asked request) (string, int) {
	connection, err := grpc.NewClient(
		// Not by way of a proxy of the environment: it is asked for this host itself.
		"passthrough:///"+asked.address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
	)
	if err != nil {
		return fmt.Sprintf("error: %s: %v", asked.address, err), wrongArguments
	}
	defer connection.Close()
	if !connected(connection, asked.connectTimeout) {
		return fmt.Sprintf("error: %s: no connection within %s", asked.address, asked.connectTimeout), notConnected
	}
	ctx, cancel := context.WithTimeout(context.Background(), asked.timeout)
	defer cancel()
	answer, err := healthpb.NewHealthClient(connection).Check(ctx, &healthpb.HealthCheckRequest{Service: asked.service})
	if status.Code(err) == codes.NotFound {
		// A Temporal role knows its service only once it has begun to start.
		return fmt.Sprintf("error: %s knows no service %q", asked.address, asked.service), notAnswered
	}
	if err != nil {
		return fmt.Sprintf("error: %s: %v", asked.address, err), notAnswered
	}
	said := fmt.Sprintf("status: %s", answer.GetStatus())
	if answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		return said, notServing
	}
	return said, healthy
}

// connected says whether there is a connection before the time is up.
func connected(connection *grpc.ClientConn, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	connection.Connect()
	for {
		state := connection.GetState()
		if state == connectivity.Ready {
			return true
		}
		if !connection.WaitForStateChange(ctx, state) {
			return false
		}
	}
}
