// Command holdfast serves real-time notifications and speaks to servers that
// do. See package cli, or run "holdfast help".
package main

import (
	"context"
	"os"

	"holdfast.dev/holdfast/internal/cli"
	"holdfast.dev/holdfast/internal/node"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.System(), node.Serve))
}
