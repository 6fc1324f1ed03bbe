package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/config"
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "what commands end with",
		Long: `Client commands (all but serve):
  0    done
  1    failed
  2    the command line was wrong
  3    the server can't be reached
  4    the server refused: key, request, draining, full, or it sent us away;
       or the token that is checked counts for nothing
  5    waited too long: no answer within --timeout, or --count not reached
       within --for
  130  interrupted

The server (serve, or no command):
  0    drained, also when the limit closed the last clients in order
  1    bad start or configuration
  2    crash, or the command line was wrong
  3    ended at once, by repeated signals
  5    did not end by itself within 10 s of the drain limit`,
	}
}

func environmentTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString(`Flags go before variables, variables before the file. Empty is as not set.
Lists are separated by commas. "holdfast config" shows what is in effect.

Client commands:
  HOLDFAST_SERVER                    the server's URL, as --server
  HOLDFAST_API_KEY                   the key to call it with; of several, one
  HOLDFAST_API_KEY_FILE              a file with that key
  HOLDFAST_TOKEN                     the token to subscribe with, as --token
  HOLDFAST_TOKEN_FILE                a file with that token
  NO_COLOR, CLICOLOR_FORCE           never, always use colour

The server:`)
	for _, s := range config.Settings() {
		if s.FileOnly {
			continue
		}
		writeVariable(&b, s.Variable(), s.Help)
		if s.Secret {
			writeVariable(&b, s.Variable()+"_FILE", "a file with it")
		}
	}
	return &cobra.Command{Use: "environment", Short: "variables that are read", Long: b.String()}
}

func writeVariable(b *strings.Builder, name, text string) {
	b.WriteString("\n  " + name + strings.Repeat(" ", max(1, 35-len(name))) + text)
}
