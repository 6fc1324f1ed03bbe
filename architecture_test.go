package holdfast_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imports says which packages of this module each may import. They point
// inward: what is further down knows nothing of what is further up.
var imports = map[string]string{
	"internal/wire":                    "",
	"internal/ws":                      "",
	"internal/chanlog":                 "",
	"internal/engine":                  "chanlog wire ws",
	"internal/engine/ledger":           "chanlog engine wire",
	"internal/engine/memory":           "engine engine/ledger wire",
	"internal/engine/journal":          "chanlog engine engine/journal/boltfile engine/ledger wire",
	"internal/engine/journal/boltfile": "",
	"internal/engine/relay":            "chanlog engine engine/ledger wire",
	"internal/engine/enginetest":       "chanlog engine engine/ledger hub wire",
	"internal/hub":                     "chanlog engine wire",
	"internal/session":                 "hub wire ws",
	"internal/transport":               "hub chanlog session wire ws",
	"internal/drain":                   "wire",
	"internal/handover":                "",
	"internal/schedule":                "wire",
	"internal/auth":                    "wire",
	"internal/metrics":                 "drain wire",
	"internal/presence":                "session wire",
	"internal/httpapi":                 "auth drain hub session wire ws",
	"internal/config":                  "schedule wire",
	"internal/loadgen":                 "ws",
	"internal/node":                    "auth config drain engine engine/journal engine/ledger engine/memory httpapi hub metrics presence schedule session transport wire",
	"internal/cli":                     "auth config drain engine/journal httpapi loadgen node wire",
	"cmd/holdfast":                     "cli node",
}

// doors says by which package each module of others enters.
var doors = map[string]string{
	"github.com/spf13/cobra":              "internal/cli",
	"github.com/spf13/pflag":              "internal/cli",
	"github.com/lmittmann/tint":           "internal/cli",
	"golang.org/x/term":                   "internal/cli",
	"github.com/coder/websocket":          "internal/cli",
	"github.com/goccy/go-yaml":            "internal/config",
	"github.com/golang-jwt/jwt":           "internal/auth",
	"go.etcd.io/bbolt":                    "internal/engine/journal",
	"github.com/prometheus/client_golang": "internal/metrics",
	"github.com/pires/go-proxyproto":      "internal/transport",
	"golang.org/x/sys":                    "internal/transport internal/loadgen",
}

const module = "holdfast.dev/holdfast/"

// packages returns what each package imports that is not of the standard
// library, without its tests.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./cmd/...", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		found[strings.TrimPrefix(words[0], module)] = slices.DeleteFunc(words[1:], func(p string) bool {
			return !strings.Contains(strings.SplitN(p, "/", 2)[0], ".")
		})
	}
	return found
}

func TestArchitecture_ImportsPointInward(t *testing.T) {
	for name, list := range packages(t) {
		allowed, known := imports[name]
		if !known {
			t.Errorf("package %s is not in the import table", name)
		}
		for _, p := range list {
			if inner, ours := strings.CutPrefix(p, module+"internal/"); ours && !slices.Contains(strings.Fields(allowed), inner) {
				t.Errorf("%s imports %s; it may import: %s", name, inner, allowed)
			}
		}
	}
}

func TestArchitecture_EachLibraryEntersByOnePackage(t *testing.T) {
	for name, list := range packages(t) {
		for _, p := range list {
			if strings.HasPrefix(p, module) {
				continue
			}
			door := ""
			for library, at := range doors {
				if p == library || strings.HasPrefix(p, library+"/") {
					door = at
				}
			}
			if !slices.Contains(strings.Fields(door), name) {
				t.Errorf("%s imports %s; its door is %q", name, p, door)
			}
		}
	}
}

// TestArchitecture_NamesTestsThatExist looks for each test that the page
// names as the one that holds an invariant.
func TestArchitecture_NamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`Test[A-Z]\w*_\w+`).FindAllString(string(page), -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	for _, name := range named {
		if err := exec.CommandContext(t.Context(), "grep", "-rqE", "--include=*_test.go", "^func "+name+`\(`, "internal", "test").Run(); err != nil {
			t.Errorf("there is no %s", name)
		}
	}
}
