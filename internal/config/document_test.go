package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const (
	document = "../../docs/configuration.md"
	made     = "<!-- made by go test ./internal/config -update -->\n"
)

// tables lists all settings as the document does.
func tables() string {
	var b strings.Builder
	group := ""
	for _, s := range Settings() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n### %s\n\n| setting | | default | allowed |\n| --- | --- | --- | --- |\n", group)
		}
		var notes []string
		if s.Repeatable() && !s.FileOnly {
			notes = append(notes, "several")
		}
		if s.FileOnly {
			notes = append(notes, "file only")
		}
		if s.NoFile {
			notes = append(notes, "not in the file")
		}
		if s.Reloadable {
			notes = append(notes, "reload")
		}
		help := s.Help
		if len(notes) > 0 {
			help += " *(" + strings.Join(notes, ", ") + ")*"
		}
		allowed := s.Bounds()
		if allowed == "" {
			allowed = strings.ReplaceAll(s.Kind(), "|", " or ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, help, s.Default, allowed)
	}
	return b.String()
}

func TestDocument_ListsEverySetting(t *testing.T) {
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(content), made)
	if !found {
		t.Fatalf("%s has no line %s", document, made)
	}
	if *update {
		if err := os.WriteFile(document, []byte(before+made+tables()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if after != tables() {
		t.Errorf("%s does not list the settings as they are (go test ./internal/config -update)", document)
	}
}

func TestDocument_ItsExamplesAreAccepted(t *testing.T) {
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(content), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		l := Loader{
			Flags: map[string][]string{"config": {"holdfast.yaml"}},
			ReadFile: func(path string) ([]byte, error) {
				if strings.HasPrefix(path, "/run/secrets/") {
					return []byte("0123456789abcdef0123456789abcdef"), nil
				}
				return []byte(block[1]), nil
			},
		}
		if _, _, err := l.Load(); err != nil {
			t.Errorf("%v\n%s", err, block[1])
		}
	}
}
