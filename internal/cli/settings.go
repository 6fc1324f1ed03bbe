package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"holdfast.dev/holdfast/internal/config"
)

// given records the values of one setting's flag, in order. It checks
// nothing: config.Loader does, for all sources alike.
type given struct {
	setting *config.Setting
	texts   []string
}

func (g *given) String() string { return strings.Join(g.texts, ",") }

func (g *given) Set(text string) error {
	g.texts = append(g.texts, text)
	return nil
}

func (g *given) Type() string { return g.setting.Kind() }

// settingFlags adds a flag for every setting.
func settingFlags(flags *pflag.FlagSet) {
	settings := config.Settings()
	for i := range settings {
		s := &settings[i]
		if s.FileOnly {
			continue
		}
		f := flags.VarPF(&given{setting: s}, s.Name, "", flagHelp(s))
		if s.Kind() == "" {
			f.NoOptDefVal = "true"
		}
	}
}

// flagHelp is the flag's line of help: value, sentence, default.
func flagHelp(s *config.Setting) string {
	text := s.Help
	if s.Kind() != "" {
		text = "`" + s.Kind() + "` " + text
	}
	var notes []string
	if s.Repeatable() {
		notes = append(notes, "repeatable")
	}
	if s.Default != "" && s.Default != "false" && s.Default != "0" {
		notes = append(notes, s.Default)
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return text
}

// loader returns what reads the configuration for a command with
// settingFlags.
func (a *app) loader(c *cobra.Command) *config.Loader {
	flags := map[string][]string{}
	c.Flags().Visit(func(f *pflag.Flag) {
		if g, ok := f.Value.(*given); ok {
			flags[f.Name] = g.texts
		}
	})
	return &config.Loader{Flags: flags, Environ: a.Environ}
}
