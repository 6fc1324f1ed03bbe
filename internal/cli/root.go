package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"holdfast.dev/holdfast/internal/config"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Real-time notifications: one process, many connected clients",
		Long:  `Real-time notifications to WebSocket clients. Without a command, it serves.`,
		Example: `  holdfast                          serve on 127.0.0.1:8000
  holdfast publish "hi"             tell every client
  holdfast subscribe news           see what is published`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              knownCommand,
	}
	a.serveFlags(root, root.Flags())
	root.SetHelpFunc(a.help)
	root.SetUsageFunc(func(*cobra.Command) error { return nil })
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c == root && len(a.args) > 0 && !strings.HasPrefix(a.args[0], "-") {
			return knownCommand(root, a.args) // the misspelt command, not its flags
		}
		return flagFault(c, err)
	})
	root.InitDefaultHelpFlag()
	root.AddCommand(
		newServe(a), newPublish(a), newSubscribe(a), newHistory(a), newPresence(a),
		newStatus(a), newDrain(a), newDisconnect(a), newToken(a), newJournal(a), newBench(a),
		newConfig(a), newVersion(a), exitCodesTopic(), environmentTopic(),
	)
	root.SetHelpCommand(newHelp(a))
	root.InitDefaultCompletionCmd("completion")
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = knownCommand
		completion.Run = a.help
		completion.Short = "Write the completion script for a shell"
	}
	return root
}

// knownCommand is the rule for the arguments of a command that takes none
// but has subcommands.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("unknown command %q.%s", args[0], otherwise(suggest(args[0], commandNames(c)), " All of them: "+c.CommandPath()+" --help"))
}

func commandNames(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// arguments is the rule for commands that take from low to high arguments;
// wanted says which.
func arguments(low, high int, wanted string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high {
			return usage("%s wants %s, not %d arguments. Examples: %s --help", c.CommandPath(), wanted, len(args), c.CommandPath())
		}
		return nil
	}
}

// flagFault says what is wrong with a flag and which was meant.
func flagFault(c *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage("%w. See %s --help", err, c.CommandPath())
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return usage("unknown flag -%s. See %s --help; what begins with - and is no flag goes behind --", name, c.CommandPath())
	}
	return usage("unknown flag --%s.%s", name, otherwise(suggest("--"+name, names), " See "+c.CommandPath()+" --help"))
}

// suggest returns ` Did you mean "x"?`, or nothing.
func suggest(word string, known []string) string {
	bare := strings.TrimLeft(word, "-")
	for i := range known {
		known[i] = strings.TrimLeft(known[i], "-")
	}
	near := config.Nearest(bare, known)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", word[:len(word)-len(bare)]+near[0])
}

func otherwise(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}
