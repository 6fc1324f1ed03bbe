package config

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files")

var generated = regexp.MustCompile(`\b[A-Z2-7]{52}\b`)

// golden compares got with a file; keys made at random become KEY.
func golden(t *testing.T, path, got string) {
	t.Helper()
	got = generated.ReplaceAllString(got, "KEY") + "\n"
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

func texts(faults []error) string {
	var list []string
	for _, f := range faults {
		list = append(list, f.Error())
	}
	return strings.Join(list, "\n")
}

// loadFile loads a configuration with this file, as holdfast.yaml.
func loadFile(content string) (Config, []string, error) {
	l := Loader{
		Flags:    map[string][]string{"config": {"holdfast.yaml"}},
		ReadFile: func(string) ([]byte, error) { return []byte(content), nil },
	}
	return l.Load()
}

func TestFile_SaysEveryFaultWithItsPlace(t *testing.T) {
	files, _ := filepath.Glob("testdata/faults/*.yaml")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = loadFile(string(content))
			if err == nil {
				t.Fatal("no fault was found")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", texts(Faults(err)))
		})
	}
}

func TestFile_NeverShowsASecret(t *testing.T) {
	content, err := os.ReadFile("testdata/faults/secrets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(content),
		"api-key: \"hunter2\n",
		"api-key: hunter2\n  x: hunter2\n",
		"api-key:\n- hunter2: [\n",
		"api-key:\n\n# one\n  - hunter2\n  - &a hunter2\n",
		"API-KEY: hunter2",
		"{api-key: hunter2, listen: 1}",
	} {
		_, _, err := loadFile(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("shown:\n%v", err)
		}
	}
}

func TestBind_IsRefusedInThreeLines(t *testing.T) {
	l := Loader{Flags: map[string][]string{"listen": {":8000"}}}
	_, _, err := l.Load()
	if err == nil {
		t.Fatal(":8000 was accepted without a key")
	}
	golden(t, "testdata/bind.golden", err.Error())
	_, _, again := l.Load()
	if again.Error() == err.Error() {
		t.Error("the key is not a fresh one each time")
	}
}
