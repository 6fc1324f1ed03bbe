package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"holdfast.dev/holdfast/internal/config"
)

func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in effect, and where each came from",
		Long: `Show the settings that serve would run with, and where each came from: a
flag, a variable, a line of the file, or the default. Takes the flags of serve.`,
		Example: `  holdfast config
  holdfast config --config holdfast.yaml --json
  holdfast config check --config holdfast.yaml`,
		Args: knownCommand,
	}
	a.configFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := a.effective(c)
		if err != nil {
			return err
		}
		return a.list(cfg)
	}
	c.AddCommand(newConfigCheck(a))
	return c
}

func newConfigCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the settings, all at once",
		Long: `Check what serve would run with, without serving. Takes the flags of serve.
Ends with 0 when all is well and with 1 when anything is wrong.`,
		Example: `  holdfast config check --config holdfast.yaml
  HOLDFAST_LISTEN=:8000 holdfast config check`,
		Args: arguments(0, 0, "flags only; a file is named by --config FILE"),
	}
	a.configFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := a.effective(c)
		switch {
		case err != nil:
			return err
		case a.common.json:
			return json.NewEncoder(a.Out).Encode(map[string]bool{"ok": true})
		case cfg.ConfigFile != "":
			return a.printf("%s and all other settings are well\n", cfg.ConfigFile)
		}
		return a.printf("all settings are well; no file was named\n")
	}
	return c
}

// configFlags adds the flags of serve, shown in the help of serve alone.
func (a *app) configFlags(c *cobra.Command) {
	settingFlags(c.Flags())
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" {
			f.Hidden = true
		}
	})
	a.outputFlags(c)
}

// effective loads the configuration and warns of what serve would warn of.
func (a *app) effective(c *cobra.Command) (config.Config, error) {
	cfg, warnings, err := a.loader(c).Load()
	for _, w := range warnings {
		a.say("warning: %s", w)
	}
	return cfg, err
}

// effectiveSetting is one line of the listing.
type effectiveSetting struct {
	Name       string `json:"name"`
	Value      string `json:"value"`
	Origin     string `json:"origin"`
	Default    string `json:"default"`
	Reloadable bool   `json:"reloadable"`
}

// list prints every setting with its value and origin.
func (a *app) list(cfg config.Config) error {
	var list []effectiveSetting
	for _, s := range config.Settings() {
		e := effectiveSetting{Name: s.Name, Value: s.Text(&cfg), Origin: cfg.Origin(s.Name).String(), Default: s.Default, Reloadable: s.Reloadable}
		if s.Secret && e.Value != "" {
			e.Value = "set (" + e.Origin + ")"
		}
		list = append(list, e)
	}
	if a.common.json {
		return json.NewEncoder(a.Out).Encode(map[string]any{"settings": list})
	}
	colored, err := a.colored(a.OutTerminal)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 3, ' ', 0)
	for _, e := range list {
		origin := e.Origin
		if origin != "default" && e.Default != "" {
			origin += " (default " + e.Default + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.Name, otherwise(e.Value, "-"), paint(colored, dim, origin))
	}
	return w.Flush()
}
