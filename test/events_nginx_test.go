//go:build linux

package test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nginxConf is nginx as it comes, in front of a server: it buffers, speaks
// HTTP/1.0 to it on one socket and keeps connections on the other, and
// compresses what it may.
const nginxConf = `
daemon off; user root; worker_processes 1; pid DIR/pid; error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	gzip on; gzip_types *; gzip_proxied any;
	upstream holdfast { server ADDRESS; keepalive 8; }
	server { listen unix:DIR/1.0; location / { proxy_pass http://ADDRESS; } }
	server {
		listen unix:DIR/1.1;
		location / { proxy_pass http://holdfast; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost; }
	}
}
`

// newNginx runs nginx in front of a server and returns the folder of its
// sockets.
func newNginx(t *testing.T, s *server) (dir string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path = "/usr/sbin/nginx"; exec.Command(path, "-v").Run() != nil {
			t.Skip("nginx is not installed")
		}
	}
	if dir, err = os.MkdirTemp("", "holdfast-nginx-"); err != nil { // the paths of sockets must be short
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	write(t, conf, strings.NewReplacer("DIR", dir, "ADDRESS", s.address).Replace(nginxConf))
	c := exec.Command(path, "-c", conf, "-p", dir)
	var said strings.Builder
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("nginx said: %s", said.String())
		}
	})
	eventually(t, "nginx listens", func() bool {
		conn, err := net.Dial("unix", filepath.Join(dir, "1.1"))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return dir
}

func TestEvents_ThroughNginx(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "1.1"} {
		t.Run("HTTP "+version, func(t *testing.T) {
			t.Parallel()
			s := serve(t, quiet(t)...)
			dir := newNginx(t, s)
			for _, compressed := range []bool{true, false} {
				transport := &http.Transport{
					DisableCompression: !compressed,
					DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
						return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, version))
					},
				}
				t.Cleanup(transport.CloseIdleConnections)
				e := listenTo(t, transport, "http://localhost/events?channels=chat")
				if e.answer.Uncompressed != compressed {
					t.Errorf("compressed: %v, want %v", e.answer.Uncompressed, compressed)
				}
				if !compressed {
					e.visit(s)
					continue
				}
				e.expect("welcome", "")
				e.expect("subscribed", "")
				s.publish("chat", `"at once"`)
				e.expect("message", `"at once"`)
				e.close()
				eventually(t, "the session ends with its client", func() bool { return s.metric("holdfast_sessions") == 0 })
			}
		})
	}
}
