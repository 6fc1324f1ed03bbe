package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help writes a command's help: what it does, how it is called, examples,
// then flags, one line each.
func (a *app) help(c *cobra.Command, _ []string) {
	w := c.OutOrStdout()
	fmt.Fprintln(w, otherwise(c.Long, c.Short))
	if c.IsAdditionalHelpTopicCommand() {
		return
	}
	fmt.Fprintf(w, "\nUsage:\n  %s\n", c.UseLine())
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	helpCommands(w, c)
	if c.HasParent() || c.Name() != "holdfast" {
		helpFlags(w, c)
	} else {
		fmt.Fprintln(w, "\nFlags: those of serve. See holdfast COMMAND --help")
	}
}

func helpCommands(w io.Writer, c *cobra.Command) {
	var commands, topics []string
	width := 0
	for _, sub := range c.Commands() {
		width = max(width, len(sub.Name()))
	}
	for _, sub := range c.Commands() {
		text := fmt.Sprintf("  %-*s  %s", width, sub.Name(), sub.Short)
		switch {
		case sub.IsAdditionalHelpTopicCommand():
			topics = append(topics, text)
		case sub.IsAvailableCommand():
			commands = append(commands, text)
		}
	}
	if len(commands) > 0 {
		fmt.Fprintf(w, "\nCommands:\n%s\n", strings.Join(commands, "\n"))
	}
	if len(topics) > 0 {
		fmt.Fprintf(w, "\nTopics, for holdfast help TOPIC:\n%s\n", strings.Join(topics, "\n"))
	}
}

func helpFlags(w io.Writer, c *cobra.Command) {
	type row struct{ name, text string }
	var rows []row
	width := 0
	c.LocalFlags().SortFlags = false
	c.Flags().SortFlags = false
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, text := usageOf(f)
		name := strings.TrimSpace("--" + f.Name + " " + kind)
		width = max(width, len(name))
		rows = append(rows, row{name, text})
	})
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w, "\nFlags:")
	for _, r := range rows {
		fmt.Fprintf(w, "  %-*s  %s\n", width, r.name, r.text)
	}
}

// usageOf splits a flag's usage "`KIND` text".
func usageOf(f *pflag.Flag) (kind, text string) {
	if f.Name == "help" {
		return "", "show this"
	}
	if rest, ok := strings.CutPrefix(f.Usage, "`"); ok {
		kind, text, _ = strings.Cut(rest, "` ")
		return kind, text
	}
	return "", f.Usage
}

// newHelp returns the help command.
func newHelp(a *app) *cobra.Command {
	return &cobra.Command{
		Use:                   "help [COMMAND | TOPIC]",
		Short:                 "Explain a command or a topic",
		Example:               "  holdfast help publish\n  holdfast help exit-codes",
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("no help for %q.%s", strings.Join(args, " "), suggest(args[len(args)-1], commandNames(c.Root())))
			}
			about.InitDefaultHelpFlag()
			a.help(about, nil)
			return nil
		},
	}
}
