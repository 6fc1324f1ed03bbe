package node

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// certificate is the one that new connections are shown. It can be loaded
// again at any time.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

func loadCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{}
	return c, c.load(certFile, keyFile)
}

// load reads the files; on an error the certificate stays what it was.
func (c *certificate) load(certFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w (--tls-cert, --tls-key: PEM, the chain beginning with the server's own)", certFile, keyFile, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
