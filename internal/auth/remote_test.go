package auth

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"holdfast.dev/holdfast/internal/wire"
)

func rawURL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// rsaJWK is a public key of pairs as a member of a set; more is added to it.
func rsaJWK(kid, more string) string {
	k := pairs().rsa
	return fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":%q%s}`, kid, rawURL(k.N.Bytes()), rawURL(big.NewInt(int64(k.E)).Bytes()), more)
}

func ecJWK(kid, more string) string {
	b := must(pairs().ec.PublicKey.Bytes())
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q%s}`, kid, rawURL(b[1:33]), rawURL(b[33:]), more)
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// issuer serves a key set from memory, so that time may be faked.
type issuer struct {
	mu      sync.Mutex
	body    string // empty: it is out of order
	fetches int
	takes   time.Duration
}

func (i *issuer) serve(body string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.body = body
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.fetches++
	body, takes := i.body, i.takes
	i.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if body == "" {
		return nil, errors.New("out of order")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// rotation is a Verifier whose keys come from an issuer, running.
type rotation struct {
	*Verifier
	*issuer
	log bytes.Buffer
}

// inRotation runs a test in fake time.
func inRotation(t *testing.T, i *issuer, test func(t *testing.T, r *rotation)) {
	pairs() // made outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		r := &rotation{issuer: i}
		v, err := NewVerifier(TokenConfig{
			JWKSURL: "https://login.example.com/keys?secret=x",
			Secrets: []string{secret},
			Logger:  slog.New(slog.NewTextHandler(&r.log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		v.remote.client.Transport = r.issuer
		r.Verifier = v
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := v.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		test(t, r)
		cancel()
		wg.Wait()
	})
}

// token makes a token that is good for a day, by the RSA or the P-256 key.
func (r *rotation) token(alg, kid string) string {
	claims := fmt.Sprintf(`{"exp":%d}`, time.Now().Add(24*time.Hour).Unix())
	header := fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid)
	if alg == rs256 {
		return sign(jwt.SigningMethodRS256, header, claims, pairs().rsa)
	}
	return sign(jwt.SigningMethodES256, header, claims, pairs().ec)
}

func (r *rotation) verify(t *testing.T, token string) error {
	_, err := r.Verify(t.Context(), token)
	return err
}

func TestKeySet_ANewKeyIsFetchedWhenATokenNamesIt(t *testing.T) {
	inRotation(t, &issuer{body: set(rsaJWK("old", ""))}, func(t *testing.T, r *rotation) {
		if err := r.verify(t, r.token(rs256, "old")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		r.serve(set(rsaJWK("old", ""), ecJWK("new", "")))
		if err := r.verify(t, r.token(es256, "new")); err != nil {
			t.Fatal(err)
		}
		if n := r.fetched(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestKeySet_UnknownKeysFetchItOnceAMinute(t *testing.T) {
	inRotation(t, &issuer{body: set(rsaJWK("a", ""))}, func(t *testing.T, r *rotation) {
		synctest.Wait()
		for range 180 { // three minutes
			err := r.verify(t, r.token(es256, "made-up"))
			refused(t, err, "", wire.Unauthorized, "ES256; the keys of this server are for HS256, RS256")
			err = r.verify(t, r.token(rs256, "made-up"))
			refused(t, err, "", wire.Unauthorized, `key "made-up" (kid)`)
			time.Sleep(time.Second)
		}
		if n := r.fetched(); n != 3 { // at the start, after one minute, after two
			t.Errorf("%d fetches in three minutes, want 3", n)
		}
	})
}

func TestKeySet_IsRenewedAndAKeyThatIsGoneNoLongerCounts(t *testing.T) {
	inRotation(t, &issuer{body: set(rsaJWK("a", ""), ecJWK("b", ""))}, func(t *testing.T, r *rotation) {
		if err := r.verify(t, r.token(rs256, "a")); err != nil {
			t.Fatal(err)
		}
		r.serve(set(ecJWK("b", "")))
		time.Sleep(renewEvery + time.Second)
		synctest.Wait()
		if err := r.verify(t, r.token(es256, "b")); err != nil {
			t.Error(err)
		}
		refused(t, r.verify(t, r.token(rs256, "a")), "", wire.Unauthorized, "signed with RS256")
		if n := r.fetched(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestKeySet_OldKeysStayWhenItCannotBeFetched(t *testing.T) {
	for _, broken := range []string{"", "<html>", set(), `{"keys":null}`, set(rsaJWK("a", `,"use":"enc"`))} {
		inRotation(t, &issuer{body: set(rsaJWK("a", ""))}, func(t *testing.T, r *rotation) {
			synctest.Wait()
			r.serve(broken)
			time.Sleep(3 * time.Hour)
			if err := r.verify(t, r.token(rs256, "a")); err != nil {
				t.Fatal(err)
			}
			r.serve(set(ecJWK("b", "")))
			time.Sleep(retryEvery + time.Second)
			if err := r.verify(t, r.token(es256, "b")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			log := r.log.String()
			if n := strings.Count(log, "\n"); n != 3 || strings.Count(log, "those fetched before stay in use") != 1 || strings.Contains(log, "secret") {
				t.Errorf("after %q the log has\n%s", broken, log)
			}
		})
	}
}

func TestKeySet_WithoutAnyKeyTokensAreRefusedForNow(t *testing.T) {
	inRotation(t, &issuer{body: ""}, func(t *testing.T, r *rotation) {
		for range 60 {
			refused(t, r.verify(t, r.token(rs256, "a")), "", wire.Unavailable, "cannot be fetched from https://login.example.com/keys now")
			if err := r.KeysFault(); err == nil || err.Error() != "out of order" {
				t.Fatalf("the fault is %v", err)
			}
			time.Sleep(time.Second)
		}
		if n := r.fetched(); n > 7 {
			t.Errorf("%d fetches in a minute", n)
		}
		if err := r.verify(t, hs(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()))); err != nil {
			t.Errorf("a token by a secret needs no set: %v", err)
		}
		forged := sign(jwt.SigningMethodHS256, `{"alg":"HS256","kid":"a"}`, `{}`, []byte(otherSecret))
		refused(t, r.verify(t, forged), forged, wire.Unauthorized, "no key of this server made") // the set has no say
		r.serve(set(rsaJWK("a", "")))
		time.Sleep(firstEvery + time.Second)
		if err := errors.Join(r.verify(t, r.token(rs256, "a")), r.KeysFault()); err != nil {
			t.Error(err)
		}
	})
}

func TestKeySet_AllWhoWaitShareOneFetch(t *testing.T) {
	inRotation(t, &issuer{body: set(rsaJWK("a", "")), takes: 2 * time.Second}, func(t *testing.T, r *rotation) {
		all := func(kid string) {
			var wg sync.WaitGroup
			for range 50 {
				token := r.token(rs256, kid)
				wg.Go(func() {
					if err := r.verify(t, token); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		all("a")
		r.serve(set(rsaJWK("b", "")))
		time.Sleep(2 * time.Minute)
		all("b")
		if n := r.fetched(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestKeySet_AFetchTakesFiveSecondsAtMostAndAWaiterMayLeave(t *testing.T) {
	inRotation(t, &issuer{body: set(rsaJWK("a", "")), takes: time.Hour}, func(t *testing.T, r *rotation) {
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := r.Verify(ctx, r.token(rs256, "a"))
		refused(t, err, "", wire.Unavailable, "not been fetched yet")
		if d := time.Since(begun); d != time.Second {
			t.Errorf("left after %s, wanted after 1s", d)
		}
		refused(t, r.verify(t, r.token(rs256, "a")), "", wire.Unavailable, "cannot be fetched")
		if d := time.Since(begun); d > fetchTimeout {
			t.Errorf("answered after %s", d)
		}
		synctest.Wait()
		if !strings.Contains(r.log.String(), "no whole answer within 5s") {
			t.Error(r.log.String())
		}
	})
}

func TestKeySet_NobodyWaitsForeverForOneThatIsNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, TokenConfig{JWKSURL: "https://login.example.com/keys"})
		begun := time.Now()
		_, err := v.Verify(t.Context(), (&rotation{}).token(rs256, "a"))
		if d := time.Since(begun); d > 10*time.Second {
			t.Errorf("waited %s", d)
		}
		refused(t, err, "", wire.Unavailable, "not been fetched yet")
	})
}

// fetchFrom fetches once from a server that handler stands for.
func fetchFrom(t *testing.T, handler http.HandlerFunc) ([]key, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	r, err := newRemote(server.URL+"/keys", nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer r.client.CloseIdleConnections()
	return r.get(t.Context())
}

func TestKeySet_IsFetchedFromItsOwnHostAlone(t *testing.T) {
	body := set(rsaJWK("a", ""))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
	defer elsewhere.Close()
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		words   string
	}{
		{"as it is", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }, ""},
		{"another path", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				http.Redirect(w, r, "/v2/keys", http.StatusFound)
				return
			}
			io.WriteString(w, body)
		}, ""},
		{"another port", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, "redirects to"},
		{"another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, "redirects to"},
		{"another scheme", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/keys", http.StatusFound)
		}, "redirects to"},
		{"round and round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) }, "more than 3 times"},
		{"not found", http.NotFound, "404"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "204"},
		{"too long", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, body+strings.Repeat(" ", maxKeySet))
		}, "1 MiB"},
		{"too long when inflated", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			io.WriteString(z, body+strings.Repeat(" ", 8*maxKeySet))
		}, "1 MiB"},
		{"too many", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, set(strings.Split(strings.Repeat(`{"kty":"EC"};`, 100)+`{}`, ";")...))
		}, "101 keys"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, body[:20])
		}, "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := fetchFrom(t, c.handler)
			switch {
			case c.words == "" && (err != nil || len(keys) != 1):
				t.Errorf("%d keys, %v", len(keys), err)
			case c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words)):
				t.Errorf("%v does not say %q", err, c.words)
			}
		})
	}
}

func TestKeySet_TakesOnlyWhatVerifiesTokens(t *testing.T) {
	ed := rawURL(pairs().ed.Public().(ed25519.PublicKey))
	modulus := func(bits uint) string {
		return rawURL(new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1).Bytes())
	}
	for _, c := range []struct {
		name, key string
		taken     bool
	}{
		{"RSA", rsaJWK("a", ""), true},
		{"RSA for signatures", rsaJWK("a", `,"use":"sig","alg":"RS256","key_ops":["verify"]`), true},
		{"RSA with a chain that cannot be read", rsaJWK("a", `,"x5c":["AA"],"x5t":"x"`), true},
		{"P-256", ecJWK("a", `,"alg":"ES256"`), true},
		{"Ed25519", `{"kty":"OKP","crv":"Ed25519","x":"` + ed + `"}`, true},
		{"Ed25519, padded", `{"kty":"OKP","crv":"Ed25519","x":"` + ed + `="}`, true},
		{"for encryption", rsaJWK("a", `,"use":"enc"`), false},
		{"to sign with", rsaJWK("a", `,"key_ops":["sign"]`), false},
		{"for another algorithm", rsaJWK("a", `,"alg":"PS256"`), false},
		{"RSA for HS256", rsaJWK("a", `,"alg":"HS256"`), false},
		{"private", ecJWK("a", `,"d":"AA"`), false},
		{"a shared secret", `{"kty":"oct","alg":"HS256","k":"` + b64(secret) + `"}`, false},
		{"weak RSA", `{"kty":"RSA","e":"AQAB","n":"` + modulus(2047) + `"}`, false},
		{"vast RSA", `{"kty":"RSA","e":"AQAB","n":"` + modulus(8193) + `"}`, false},
		{"RSA with exponent 1", `{"kty":"RSA","e":"AQ","n":"` + modulus(2048) + `"}`, false},
		{"RSA with an even exponent", `{"kty":"RSA","e":"BA","n":"` + modulus(2048) + `"}`, false},
		{"RSA with a vast exponent", `{"kty":"RSA","e":"AQAAAAAAAAAAAQ","n":"` + modulus(2048) + `"}`, false},
		{"RSA without a modulus", `{"kty":"RSA","e":"AQAB"}`, false},
		{"P-384", `{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}`, false},
		{"no point of P-256", `{"kty":"EC","crv":"P-256","x":"` + ed + `","y":"` + ed + `"}`, false},
		{"the point at infinity", `{"kty":"EC","crv":"P-256","x":"","y":""}`, false},
		{"short Ed25519", `{"kty":"OKP","crv":"Ed25519","x":"AA"}`, false},
		{"X25519", `{"kty":"OKP","crv":"X25519","x":"` + ed + `"}`, false},
		{"no key", `{}`, false},
		{"null", `null`, false},
		{"a string", `"x"`, false},
		{"kid a number", `{"kty":"OKP","crv":"Ed25519","kid":1,"x":"` + ed + `"}`, false},
	} {
		keys, err := parseKeySet([]byte(set(c.key)))
		if c.taken != (err == nil && len(keys) == 1) {
			t.Errorf("%s: %d keys, %v", c.name, len(keys), err)
		}
		keys, err = parseKeySet([]byte(set(c.key, ecJWK("other", ""))))
		if err != nil || keys[len(keys)-1].id != "other" {
			t.Errorf("%s keeps the key beside it from being taken: %v", c.name, err)
		}
	}
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(set(rsaJWK("a", ""), ecJWK("b", ""))))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeySet(text)
		if (err == nil) != (len(keys) > 0) || len(keys) > maxKeys {
			t.Errorf("%d keys and %v", len(keys), err)
		}
		for _, k := range keys {
			if k.algorithm() == hs256 {
				t.Error("a shared secret was taken")
			}
			k.signed(token{algorithm: k.algorithm(), signed: "a.b", signature: make([]byte, 64)})
		}
	})
}
