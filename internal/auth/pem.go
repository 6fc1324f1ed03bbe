package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"holdfast.dev/holdfast/internal/wire"
)

// pemKeys reads the public keys and certificates of a PEM file. Of a
// certificate the key alone counts, not its dates or who signed it: whoever
// runs the server has chosen it.
func pemKeys(text []byte) ([]key, error) {
	var keys []key
	rest := text
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		k, err := pemKey(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, notPEM(text)
	}
	return keys, nil
}

func pemKey(block *pem.Block) (key, error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return key{}, errors.New("holds a private key, which belongs to whoever signs tokens and to nobody else; make the public one with: openssl pkey -in FILE -pubout -out public.pem")
	case block.Type == "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return key{}, fmt.Errorf("is damaged: %w", err)
		}
		return publicKey(public)
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return key{}, fmt.Errorf("is a damaged certificate: %w", err)
		}
		return publicKey(certificate.PublicKey)
	case block.Type == "RSA PUBLIC KEY":
		return key{}, errors.New("is in the old form of RSA keys; convert it with: openssl rsa -RSAPublicKey_in -in FILE -pubout -out public.pem")
	}
	return key{}, fmt.Errorf("holds %s, which is neither PUBLIC KEY nor CERTIFICATE", wire.Quote(block.Type))
}

func notPEM(text []byte) error {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return errors.New("is empty")
	case bytes.HasPrefix(text, []byte("{")):
		return errors.New("is JSON, not PEM; a set of JSON keys is named by its URL (--jwks-url)")
	case bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-")):
		return errors.New("is a key of SSH; convert it with: ssh-keygen -e -m PKCS8 -f FILE")
	}
	return errors.New("is not PEM: it has no -----BEGIN PUBLIC KEY----- that ends well")
}
