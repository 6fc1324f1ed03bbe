package cli

import (
	"encoding/json"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the version of this program when the build says none; set by
// -ldflags "-X holdfast.dev/holdfast/internal/cli.Version=v1.2.3".
var Version = "0.1.0-dev"

// version returns the module's version when built from one, else Version.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return Version
}

// build is what the version command tells.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	System   string `json:"system"`
}

func thisBuild() build {
	b := build{Version: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Example: `  holdfast version
  holdfast version --json`,
		Args: arguments(0, 0, "flags only"),
	}
	a.outputFlags(c)
	c.RunE = func(*cobra.Command, []string) error {
		b := thisBuild()
		if a.common.json {
			return json.NewEncoder(a.Out).Encode(b)
		}
		return a.printf("holdfast %s (%s, %s)\n", b.Version, b.Go, b.System)
	}
	return c
}
