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

// flagRows are the flags under one heading.
type flagRows struct {
	heading string
	names   []string
	texts   []string
	width   int
}

func (r *flagRows) add(f *pflag.Flag) {
	kind, text := usageOf(f)
	name := strings.TrimSpace("--" + f.Name + " " + kind)
	r.names, r.texts = append(r.names, name), append(r.texts, text)
	r.width = max(r.width, len(name))
}

// helpFlags lists the flags; those of settings under the headings of these.
func helpFlags(w io.Writer, c *cobra.Command) {
	var groups []*flagRows
	others := &flagRows{heading: "Flags"}
	c.LocalFlags().SortFlags = false
	c.Flags().SortFlags = false
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		group := others
		if g, ok := f.Value.(*given); ok && c.Name() == "serve" {
			if last := len(groups) - 1; last < 0 || groups[last].heading != g.setting.Group {
				groups = append(groups, &flagRows{heading: g.setting.Group})
			}
			group = groups[len(groups)-1]
		}
		group.add(f)
	})
	if len(groups) > 0 {
		others.heading = "Other"
	}
	for _, g := range append(groups, others) {
		if len(g.names) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n", g.heading)
		for i, name := range g.names {
			fmt.Fprintf(w, "  %-*s  %s\n", g.width, name, g.texts[i])
		}
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
