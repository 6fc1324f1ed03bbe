// Command holdfast serves real-time notifications and speaks to servers that
// do. See package cli, or run "holdfast help".
package main

import (
	"context"
	"os"

	"holdfast.dev/holdfast/internal/cli"
	"holdfast.dev/holdfast/internal/config"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.System(), serve))
}

func serve(context.Context, config.Config, cli.ServeOptions) (int, error) { return 0, nil }
