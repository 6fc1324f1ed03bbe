//go:build linux

package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// file writes a file of the test's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, text)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// authority issues certificates for 127.0.0.1.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
	next int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), pool: x509.NewCertPool(), next: 1}
	template := a.template("test authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) template(name string) *x509.Certificate {
	a.next++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
}

// certificate is one that was issued, in files.
type certificate struct {
	authority *authority
	cert, key string // paths
}

func (a *authority) issue(t *testing.T) *certificate {
	t.Helper()
	dir := t.TempDir()
	c := &certificate{authority: a, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	c.renew(t)
	return c
}

// renew issues it again, with another key and serial number, and returns the
// number.
func (c *certificate) renew(t *testing.T) int64 {
	t.Helper()
	a := c.authority
	key := newKey(t)
	template := a.template("holdfast")
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, c.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return template.SerialNumber.Int64()
}

// serve runs the program with the certificate.
func (c *certificate) serve(t *testing.T, flags ...string) *server {
	t.Helper()
	s := serve(t, append([]string{"--tls-cert", c.cert, "--tls-key", c.key}, flags...)...)
	s.scheme, s.issuer = "https", c.authority
	s.web.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.authority.pool}}
	return s
}

// authority returns the path of the certificate of the server's authority.
func (s *server) authority(t *testing.T) string {
	t.Helper()
	return file(t, "authority.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.issuer.cert.Raw})))
}

// shown returns the serial number of the certificate that new connections are
// shown.
func (s *server) shown() int64 {
	s.t.Helper()
	config := s.web.Transport.(*http.Transport).TLSClientConfig.Clone()
	conn, err := tls.Dial("tcp", s.address, config)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestTLS_ClientsAreServed(t *testing.T) {
	t.Parallel()
	s := newAuthority(t).issue(t).serve(t, "--client-publish", "chat")
	c := s.connect("?channels=chat")
	c.read()
	s.publish("chat", `"over TLS"`)
	c.expect("chat", `"over TLS"`)
	long := make([]byte, 300<<10)
	for i := range long {
		long[i] = 'x'
	}
	s.publish("chat", `"`+string(long)+`"`)
	c.expect("chat", `"`+string(long)+`"`)
	c.send(`{"type":"publish","channel":"chat","data":1}`)
	if first, second := c.read(), c.read(); first.Type == second.Type {
		t.Errorf("publish by a client: %s and %s", first.raw, second.raw)
	}
}

func TestTLS_CertificateIsReloaded(t *testing.T) {
	t.Parallel()
	certificate := newAuthority(t).issue(t)
	s := certificate.serve(t)
	c := s.connect("")
	before := s.shown()
	renewed := certificate.renew(t)
	if s.shown() != before {
		t.Error("the certificate changed before it was asked for")
	}
	s.signal(syscall.SIGHUP)
	s.log.wait(t, "reloaded")
	if got := s.shown(); got != renewed {
		t.Errorf("certificate %d is shown, want %d", got, renewed)
	}
	s.web.CloseIdleConnections()
	s.publish("broadcast", `"untouched"`)
	c.expect("broadcast", `"untouched"`)

	write(t, certificate.cert, "no certificate")
	s.signal(syscall.SIGHUP)
	s.log.wait(t, "reload: TLS certificate")
	if got := s.shown(); got != renewed {
		t.Errorf("after a reload that failed certificate %d is shown, want %d", got, renewed)
	}
}
