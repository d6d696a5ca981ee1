// The least that a Go program can spend on workflows: one process that starts them at a rate,
// waits for the result of each, and runs them.
//
//	floor ADDRESS NAMESPACE RATE SECONDS
//
// It prints how many have completed, and the CPU seconds from the first start to the last result.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const taskQueue = "floor-go"

// Simple returns at once.
func Simple(workflow.Context) error { return nil }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: floor ADDRESS NAMESPACE RATE SECONDS")
	}
	rate, err := strconv.ParseFloat(arguments[2], 64)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(arguments[3], 64)
	if err != nil {
		return err
	}
	connection, err := client.Dial(client.Options{
		HostPort:  arguments[0],
		Namespace: arguments[1],
		Logger:    log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	work := worker.New(connection, taskQueue, worker.Options{})
	work.RegisterWorkflow(Simple)
	if err := work.Start(); err != nil {
		return err
	}
	defer work.Stop()
	if err := one(connection, "warm"); err != nil {
		return err
	}
	began := cpu()
	completed := load(connection, rate, seconds)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"completed": completed,
		"cpu":       cpu() - began,
	})
}

// load starts workflows when they are due, and returns how many have completed in the end.
func load(connection client.Client, rate, seconds float64) int64 {
	var completed atomic.Int64
	var all sync.WaitGroup
	epoch := time.Now()
	for number := range int(rate * seconds) {
		time.Sleep(time.Until(epoch.Add(time.Duration(float64(number) / rate * float64(time.Second)))))
		all.Go(func() {
			if one(connection, strconv.Itoa(number)) == nil {
				completed.Add(1)
			}
		})
	}
	all.Wait()
	return completed.Load()
}

// one starts a workflow and waits for its result.
func one(connection client.Client, name string) error {
	options := client.StartWorkflowOptions{
		ID:        fmt.Sprintf("floor-%d-%s", os.Getpid(), name),
		TaskQueue: taskQueue,
	}
	started, err := connection.ExecuteWorkflow(context.Background(), options, Simple)
	if err != nil {
		return err
	}
	return started.Get(context.Background(), nil)
}

// cpu is what this process has used, in seconds.
func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}
