package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ran is what a command did.
type ran struct {
	code     int
	out, err string
}

// runIn runs one command line in a world that change may change.
func runIn(t *testing.T, change func(*Stdio), args ...string) ran {
	t.Helper()
	var out, err bytes.Buffer
	io := Stdio{In: strings.NewReader(""), Out: &out, Err: &err}
	if change != nil {
		change(&io)
	}
	code := Run(t.Context(), args, io, pretendServer)
	return ran{code, out.String(), err.String()}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it):\n--- got\n%s--- want\n%s", path, got, want)
	}
}

// ours calls each for every command of this program, those that cobra adds
// left out.
func ours(c *cobra.Command, each func(*cobra.Command)) {
	if c.Name() == "completion" {
		return
	}
	each(c)
	for _, sub := range c.Commands() {
		ours(sub, each)
	}
}

func TestHelp_OfEveryCommandFitsATerminal(t *testing.T) {
	ours(newRoot(&app{}), func(c *cobra.Command) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		if c.IsAdditionalHelpTopicCommand() {
			args = []string{"help", c.Name()}
		}
		got := runIn(t, nil, args...)
		if got.code != 0 || got.err != "" {
			t.Errorf("%v: exit code %d, %s", args, got.code, got.err)
		}
		golden(t, filepath.Join("testdata/help", name+".txt"), got.out)
		lines := strings.Split(strings.TrimRight(got.out, "\n"), "\n")
		if len(lines) > 40 && c.Name() != "serve" && c.Name() != "environment" { // these list all settings
			t.Errorf("%v: %d lines", args, len(lines))
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%v: %d characters: %s", args, utf8.RuneCountInString(line), line)
			}
		}
		examples := strings.Count(c.Example, "\n") + 1
		if !c.IsAdditionalHelpTopicCommand() && (examples < 2 || examples > 4) {
			t.Errorf("%v: %d examples", args, examples)
		}
	})
}

func TestHelp_EveryClientCommandHasTheCommonFlags(t *testing.T) {
	root := newRoot(&app{})
	for _, name := range []string{"publish", "subscribe", "status", "history", "presence", "disconnect"} {
		c, _, err := root.Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"server", "api-key", "json", "quiet", "color", "timeout"} {
			if c.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", name, flag)
			}
		}
	}
}

func TestServe_HasAFlagForEverySetting(t *testing.T) {
	flags := func(args ...string) (names []string) {
		c, _, err := newRoot(&app{}).Find(args)
		if err != nil {
			t.Fatal(err)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		return names
	}
	if root, serve := flags(), flags("serve"); len(root) < 22 || len(root) < len(serve) {
		t.Errorf("holdfast takes %v, holdfast serve takes %v", root, serve)
	}
}
