package cli

import (
	"bytes"
	"context"
	"flag"
	"net"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"holdfast.dev/holdfast/internal/config"
	"holdfast.dev/holdfast/internal/node"
)

var update = flag.Bool("update", false, "write golden files and the wanted output of scripts")

// The scripts in testdata/script run holdfast as its users do.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"holdfast": func() { os.Exit(Run(context.Background(), os.Args[1:], System(), pretendServer)) },
	})
}

// pretendServer stands in for the server: it is ready, and done.
func pretendServer(_ context.Context, _ config.Config, opts node.Options) (int, error) {
	opts.Ready(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000})
	return 0, nil
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer,
			"code":   exitsWith,
		},
	})
}

// startServer is the script command "server": it starts a server like
// holdfast's and tells the commands where it is.
func startServer(ts *testscript.TestScript, _ bool, _ []string) {
	srv := httptest.NewServer(newFake())
	ts.Defer(srv.Close)
	ts.Setenv("HOLDFAST_SERVER", srv.URL)
}

// exitsWith is the script command "code N holdfast …": it runs holdfast in
// this process and wants the exit code N. What it wrote goes to the files
// out and err.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || args[1] != "holdfast" {
		ts.Fatalf("usage: code N holdfast ARGS")
	}
	var out, err bytes.Buffer
	io := Stdio{In: strings.NewReader(""), Out: &out, Err: &err, Environ: []string{"HOLDFAST_SERVER=" + ts.Getenv("HOLDFAST_SERVER")}}
	code := Run(context.Background(), args[2:], io, pretendServer)
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), err.Bytes(), 0o600))
	if got := strconv.Itoa(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], out.String(), err.String())
	}
}
