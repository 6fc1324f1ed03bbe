package auth

import (
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"holdfast.dev/holdfast/internal/wire"
)

// exp is a claim that is well at start: an hour later.
var exp = fmt.Sprintf(`"exp":%d`, start.Add(time.Hour).Unix())

func TestVerify_TellsWhatATokenAllows(t *testing.T) {
	p := pairs()
	v := verifier(t, allKeys())
	claims := fmt.Sprintf(`{"sub":"ann","iat":%d,%s,"channels":["news","chat-*"],"publish":["chat-*"],"other":{"a":[1]}}`, start.Unix(), exp)
	want := Grant{
		User: "ann", Issued: start, Expires: start.Add(time.Hour),
		Channels: []wire.Pattern{"news", "chat-*"}, Publish: []wire.Pattern{"chat-*"},
	}
	for _, token := range []string{
		sign(jwt.SigningMethodHS256, `{"alg":"HS256","typ":"JWT"}`, claims, []byte(secret)),
		sign(jwt.SigningMethodHS256, `{"typ":"JWT","alg":"HS256","kid":"any"}`, claims, []byte(otherSecret)),
		sign(jwt.SigningMethodRS256, `{"alg":"RS256"}`, claims, p.rsa),
		sign(jwt.SigningMethodES256, `{"alg":"ES256"}`, claims, p.ec),
		sign(jwt.SigningMethodEdDSA, `{"alg":"EdDSA"}`, claims, p.ed),
	} {
		got, err := v.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if !validName(got.Token) {
			t.Errorf("the token's name is %q", got.Token)
		}
		if got.Token = ""; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// Each row is a token that must not count, and words of why.
func TestVerify_RefusesWhatIsForgedOrOdd(t *testing.T) {
	p := pairs()
	good := `{"sub":"ann",` + exp + `}`
	whole := hs(good) // ends in one of AEIMQUYcgkosw048: the next character differs in trailing bits
	parts := strings.Split(whole, ".")
	head := func(h string) string { return sign(jwt.SigningMethodHS256, h, good, []byte(secret)) }
	hmac := func(alg string, key []byte) string {
		return sign(jwt.SigningMethodHS256, `{"alg":"`+alg+`"}`, good, key)
	}
	const forged = "no key of this server made"
	v := verifier(t, allKeys())
	for _, c := range []struct{ name, token, words string }{
		{"empty", "", "not a JWT"},
		{"words", "not a token", "not a JWT"},
		{"two parts", parts[0] + "." + parts[1], "not a JWT"},
		{"four parts", whole + ".x", "not a JWT"},
		{"encrypted", whole + ".x.y", "JWE"},
		{"dots alone", strings.Repeat(".", MaxToken), "not a JWT"},
		{"8 KiB and a byte", strings.Repeat("a", MaxToken+1), "8193 bytes, 8192 at most"},
		{"line end in it", parts[0] + "." + parts[1][:5] + "\n" + parts[1][5:] + "." + parts[2], "base64url"},
		{"padding", whole + "=", "base64url"},
		{"plain base64", parts[0] + "." + parts[1] + ".+" + parts[2][1:], "base64url"},
		{"trailing bits", whole[:len(whole)-1] + string(whole[len(whole)-1]+1), "base64url"},
		{"space before", " " + whole, "base64url"},

		{"another secret", hmac("HS256", []byte("another-0123456789abcdef0123456789")), forged},
		{"no signature", parts[0] + "." + parts[1] + ".", forged},
		{"signature cut", parts[0] + "." + parts[1] + "." + parts[2][:40], forged},
		{"claims swapped", parts[0] + "." + b64(`{"sub":"root",`+exp+`}`) + "." + parts[2], forged},
		{"header swapped", b64(`{"alg":"HS256","kid":"x"}`) + "." + parts[1] + "." + parts[2], forged},
		{"another RSA key", sign(jwt.SigningMethodRS256, `{"alg":"RS256"}`, good, p.otherRSA), forged},
		{"another P-256 key", sign(jwt.SigningMethodES256, `{"alg":"ES256"}`, good, p.otherEC), forged},
		{"ES256 of zeros", b64(`{"alg":"ES256"}`) + "." + b64(good) + "." + b64(strings.Repeat("\x00", 64)), forged},
		{"ES256 in DER", b64(`{"alg":"ES256"}`) + "." + b64(good) + "." + b64("\x30\x06\x02\x01\x01\x02\x01\x01"), forged},
		{"EdDSA of zeros", b64(`{"alg":"EdDSA"}`) + "." + b64(good) + "." + b64(strings.Repeat("\x00", 64)), forged},

		{"HMAC with the PEM", hmac("HS256", pemOf(&p.rsa.PublicKey)), forged},
		{"HMAC with the DER", hmac("HS256", must(x509.MarshalPKIXPublicKey(&p.rsa.PublicKey))), forged},
		{"HMAC with the modulus", hmac("HS256", p.rsa.N.Bytes()), forged},
		{"HMAC with the Ed25519 key", hmac("HS256", p.ed.Public().(ed25519.PublicKey)), forged},
		{"HMAC with nothing", hmac("HS256", nil), forged},
		{"HMAC said to be RS256", hmac("RS256", []byte(secret)), forged},
		{"HMAC said to be EdDSA", hmac("EdDSA", []byte(secret)), forged},
		{"RS256 said to be HS256", sign(jwt.SigningMethodRS256, `{"alg":"HS256"}`, good, p.rsa), forged},
		{"RS512 by the right key", sign(jwt.SigningMethodRS512, `{"alg":"RS512"}`, good, p.rsa), `alg "RS512"`},
		{"RS512 said to be RS256", sign(jwt.SigningMethodRS512, `{"alg":"RS256"}`, good, p.rsa), forged},
		{"PS256 by the right key", sign(jwt.SigningMethodPS256, `{"alg":"PS256"}`, good, p.rsa), `alg "PS256"`},
		{"HS512", sign(jwt.SigningMethodHS512, `{"alg":"HS512"}`, good, []byte(secret)), `alg "HS512"`},
		{"none", b64(`{"alg":"none"}`) + "." + b64(good) + ".", `alg "none"`},
		{"none, signed", head(`{"alg":"none"}`), `alg "none"`},
		{"None", head(`{"alg":"None"}`), `alg "None"`},
		{"hs256", head(`{"alg":"hs256"}`), `alg "hs256"`},
		{"no alg", head(`{"typ":"JWT"}`), "(alg)"},
		{"ALG", head(`{"ALG":"HS256"}`), "(alg)"},
		{"alg empty", head(`{"alg":""}`), `alg ""`},
		{"alg null", head(`{"alg":null}`), "(alg)"},
		{"alg a list", head(`{"alg":["HS256"]}`), "(alg)"},
		{"alg twice", head(`{"alg":"HS256","alg":"HS256"}`), "twice"},
		{"alg twice, once escaped", head(`{"alg":"none","\u0061lg":"HS256"}`), "twice"},
		{"jku", head(`{"alg":"HS256","jku":"https://evil.example/keys"}`), "jku"},
		{"jwk", head(`{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}`), "jwk"},
		{"x5u", head(`{"alg":"HS256","x5u":"https://evil.example/cert"}`), "x5u"},
		{"x5c", head(`{"alg":"HS256","x5c":["AA"]}`), "x5c"},
		{"crit", head(`{"alg":"HS256","crit":["exp"]}`), "crit"},
		{"crit null", head(`{"alg":"HS256","crit":null}`), "crit"},
		{"b64", head(`{"alg":"HS256","b64":false}`), "b64"},
		{"kid a number", head(`{"alg":"HS256","kid":1}`), "(kid)"},
		{"kid a path, other key", sign(jwt.SigningMethodHS256, `{"alg":"HS256","kid":"../../dev/null"}`, good, []byte{}), forged},
		{"kid with SQL", sign(jwt.SigningMethodHS256, `{"alg":"HS256","kid":"' UNION SELECT 'a"}`, good, []byte("a")), forged},
		{"header a list", head(`["HS256"]`), "not a JSON object"},
		{"header no JSON", head(`{"alg":"HS256"`), "header that cannot be read"},
		{"header with more behind", head(`{"alg":"HS256"}{}`), "header that cannot be read"},
		{"header nested", head(`{"alg":"HS256","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`), "header that cannot be read"},
		{"header not UTF-8", head("{\"alg\":\"HS256\",\"x\":\"\xff\"}"), "header that cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), c.token)
			refused(t, err, c.token, wire.Unauthorized, c.words)
		})
	}
}

// Each row is what a key of ours has signed and that must not count all the
// same.
func TestVerify_RefusesClaimsThatAreNotRight(t *testing.T) {
	v := verifier(t, TokenConfig{Secrets: []string{secret}})
	list := func(n int) string { return `["` + strings.Repeat(`a","`, n-1) + `a"]` }
	at := func(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }
	for _, c := range []struct{ name, claims, words string }{
		{"no exp", `{}`, "no end"},
		{"Exp", `{"Exp":` + at(time.Hour) + `}`, "no end"},
		{"exp null", `{"exp":null}`, "exp is not a number"},
		{"exp a string", `{"exp":"` + at(time.Hour) + `"}`, "exp is not a number"},
		{"exp true", `{"exp":true}`, "exp is not a number"},
		{"exp a list", `{"exp":[` + at(time.Hour) + `]}`, "exp is not a number"},
		{"exp 0", `{"exp":0}`, "at 1970-01-01T00:00:00Z"},
		{"exp -0", `{"exp":-0}`, "at 1970-01-01T00:00:00Z"},
		{"exp 0.0", `{"exp":0.0}`, "at 1970-01-01T00:00:00Z"},
		{"exp negative", `{"exp":-5}`, "at 1969-12-31T23:59:55Z"},
		{"exp the zero time", `{"exp":-62135596800}`, "expired"},
		{"exp fraction", `{"exp":0.5}`, "expired"},
		{"exp in milliseconds", `{"exp":1798900000000}`, "milliseconds"},
		{"exp huge", `{"exp":1e300}`, "out of range"},
		{"exp beyond floats", `{"exp":1e999}`, "out of range"},
		{"exp hugely negative", `{"exp":-1e300}`, "out of range"},
		{"exp twice", `{"exp":1,` + exp + `}`, "twice"},
		{"expired", `{"exp":` + at(-5*time.Minute) + `}`, "expired 5m0s ago, at 2027-01-02T13:55:00Z"},
		{"just expired", `{"exp":` + at(-Leeway) + `}`, "expired 30s ago"},
		{"nbf", `{"nbf":` + at(time.Minute) + `,` + exp + `}`, "not valid yet (nbf): it will be 1m0s from now"},
		{"nbf a string", `{"nbf":"0",` + exp + `}`, "nbf is not a number"},
		{"iat to come", `{"iat":` + at(time.Minute) + `,` + exp + `}`, "in the future (iat)"},
		{"iat null", `{"iat":null,` + exp + `}`, "iat is not a number"},

		{"sub empty", `{"sub":"",` + exp + `}`, "sub is empty"},
		{"sub null", `{"sub":null,` + exp + `}`, "sub is not a string"},
		{"sub a number", `{"sub":7,` + exp + `}`, "sub is not a string"},
		{"sub a list", `{"sub":["ann"],` + exp + `}`, "sub is not a string"},
		{"sub with a slash", `{"sub":"a/b",` + exp + `}`, `sub is "a/b"`},
		{"sub with a space", `{"sub":"a b",` + exp + `}`, `sub is "a b"`},
		{"sub with a line end", `{"sub":"a\nb",` + exp + `}`, `sub is "a\nb"`},
		{"sub half a surrogate", `{"sub":"a\ud800",` + exp + `}`, "sub is"},
		{"sub ..", `{"sub":"..",` + exp + `}`, `sub is ".."`},
		{"sub too long", `{"sub":"` + strings.Repeat("a", 196) + `",` + exp + `}`, "196 characters, 195 at most"},
		{"sub twice", `{"sub":"ann","sub":"root",` + exp + `}`, `"sub" stands there twice`},

		{"channels a string", `{"channels":"news",` + exp + `}`, "channels is not a list"},
		{"channels null", `{"channels":null,` + exp + `}`, "channels is not a list"},
		{"channels nested", `{"channels":[["news"]],` + exp + `}`, "channels is not a list"},
		{"channels with null", `{"channels":["a",null],` + exp + `}`, "channels is not a list"},
		{"channels an object", `{"channels":{"news":true},` + exp + `}`, "channels is not a list"},
		{"a channel empty", `{"channels":[""],` + exp + `}`, "no pattern for channels"},
		{"a star inside", `{"channels":["a*b"],` + exp + `}`, "no pattern for channels"},
		{"two stars", `{"publish":["a**"],` + exp + `}`, "no pattern for publish"},
		{"a space", `{"publish":["a b"],` + exp + `}`, "no pattern for publish"},
		{"too many", `{"channels":` + list(500) + `,"publish":` + list(501) + `,` + exp + `}`, "1001 patterns"},

		{"aud a number", `{"aud":1,` + exp + `}`, "aud is not a string"},
		{"aud null", `{"aud":null,` + exp + `}`, "aud is not a string"},
		{"iss a list", `{"iss":["x"],` + exp + `}`, "iss is not a string"},
		{"a list", `[]`, "not a JSON object"},
		{"a string", `"x"`, "not a JSON object"},
		{"nothing", ``, "claims that cannot be read"},
		{"not UTF-8", "{\"x\":\"\xff\"," + exp + "}", "claims that cannot be read"},
		{"nested", `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,` + exp + `}`, "claims that cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := hs(c.claims)
			_, err := v.Verify(t.Context(), token)
			refused(t, err, token, wire.Unauthorized, c.words)
		})
	}
}

func TestVerify_AllowsTheLeewayAndNoMore(t *testing.T) {
	v := verifier(t, TokenConfig{Secrets: []string{secret}})
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for _, claims := range []string{
		fmt.Sprintf(`{"exp":%d}`, at(-29*time.Second)),
		fmt.Sprintf(`{"exp":%d.9}`, at(-30*time.Second)+1),
		fmt.Sprintf(`{"nbf":%d,"iat":%d,"exp":%d}`, at(Leeway), at(Leeway), at(time.Minute)),
		fmt.Sprintf(`{"exp":%g}`, float64(at(time.Hour))),
		`{"sub":"` + strings.Repeat("a", 195) + `",` + exp + `}`,
		`{"channels":[],"publish":["*"],` + exp + `}`,
	} {
		if _, err := v.Verify(t.Context(), hs(claims)); err != nil {
			t.Errorf("%s: %v", claims, err)
		}
	}
}

func TestVerify_ATokenWithoutEndCountsOnlyWhereAllowed(t *testing.T) {
	v := verifier(t, TokenConfig{Secrets: []string{secret}, AllowNoExpiry: true})
	g, err := v.Verify(t.Context(), hs(`{"sub":"ann"}`))
	if err != nil || !g.Expires.IsZero() {
		t.Errorf("%v, %v", g, err)
	}
	for _, claims := range []string{`{"exp":0}`, `{"exp":-1}`, `{"exp":null}`, `{"exp":"never"}`, `{"exp":""}`, `{"exp":1e300}`, `{"exp":0.5}`, `{"exp":-62135596800}`} {
		if _, err := v.Verify(t.Context(), hs(claims)); err == nil {
			t.Errorf("%s is let in", claims)
		}
	}
}

func TestVerify_EnforcesAudienceAndIssuerWhenSet(t *testing.T) {
	v := verifier(t, TokenConfig{Secrets: []string{secret}, Audience: "holdfast", Issuer: "https://login.example.com"})
	for _, c := range []struct{ parties, words string }{
		{`"aud":"holdfast","iss":"https://login.example.com"`, ""},
		{`"aud":["shop","holdfast"],"iss":"https://login.example.com"`, ""},
		{`"aud":"shop","iss":"https://login.example.com"`, `is for "shop" (aud); this server is "holdfast"`},
		{`"aud":"Holdfast","iss":"https://login.example.com"`, "(aud)"},
		{`"aud":["shop"],"iss":"https://login.example.com"`, "(aud)"},
		{`"aud":[],"iss":"https://login.example.com"`, "for whom"},
		{`"aud":[["holdfast"]],"iss":"https://login.example.com"`, "aud is not"},
		{`"aud":["holdfast",null],"iss":"https://login.example.com"`, "aud is not"},
		{`"iss":"https://login.example.com"`, "for whom"},
		{`"aud":"holdfast"`, "who made it"},
		{`"aud":"holdfast","iss":""`, `made by ""`},
		{`"aud":"holdfast","iss":"https://login.example.com/"`, "(iss)"},
	} {
		token := hs(`{` + c.parties + `,` + exp + `}`)
		_, err := v.Verify(t.Context(), token)
		if c.words != "" {
			refused(t, err, token, wire.Unauthorized, c.words)
		} else if err != nil {
			t.Errorf("%s: %v", c.parties, err)
		}
	}
}

// Of a token, nobody may make another that counts and has a different name:
// it would outlive its revocation.
func TestVerify_NoTokenHasTwoNames(t *testing.T) {
	p := pairs()
	v := verifier(t, allKeys())
	name := func(token string) string {
		g, err := v.Verify(t.Context(), token)
		if err != nil {
			return ""
		}
		return g.Token
	}
	token := sign(jwt.SigningMethodES256, `{"alg":"ES256"}`, `{`+exp+`}`, p.ec)
	want := name(token)
	parts := strings.Split(token, ".")
	signature := must(encoding.DecodeString(parts[2]))
	s := new(big.Int).Sub(p.ec.Params().N, new(big.Int).SetBytes(signature[32:]))
	twin := parts[0] + "." + parts[1] + "." + b64(string(signature[:32])+string(s.FillBytes(make([]byte, 32))))
	if got := name(twin); twin == token || got != want {
		t.Errorf("the second signature makes the name %q, want %q", got, want)
	}
	for _, text := range []string{token, hs(`{` + exp + `}`), hs(`{"a":1,` + exp + `}`), hs(`{"a":10,` + exp + `}`)} {
		want := name(text)
		for i := range len(text) {
			for _, c := range "ABw-_.\n\r= " {
				other := text[:i] + string(c) + text[i+1:]
				if got := name(other); other != text && got != "" && got != want {
					t.Fatalf("character %d as %q makes a token that counts, with another name", i, c)
				}
				if got := name(text[:i] + string(c) + text[i:]); got != "" && got != want {
					t.Fatalf("%q before character %d makes a token that counts, with another name", c, i)
				}
			}
		}
	}
}

func TestVerify_SaysWhichKeysItHas(t *testing.T) {
	p := pairs()
	public := verifier(t, TokenConfig{PublicKeys: [][]byte{append(pemOf(&p.ec.PublicKey), pemOf(&p.rsa.PublicKey)...)}})
	_, err := public.Verify(t.Context(), hs(`{}`))
	refused(t, err, "", wire.Unauthorized, "HS256; this server has no secret")
	_, err = public.Verify(t.Context(), sign(jwt.SigningMethodEdDSA, `{"alg":"EdDSA"}`, `{}`, p.ed))
	refused(t, err, "", wire.Unauthorized, "EdDSA; the keys of this server are for ES256, RS256")
}
