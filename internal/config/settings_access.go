package config

import "holdfast.dev/holdfast/internal/wire"

func accessSettings() []Setting {
	return []Setting{
		{Name: "api-key", Secret: true, Reloadable: true,
			Help:  "key that may call /v1; better @FILE",
			field: secrets("KEY|@FILE", MinKey, func(c *Config) *[]Secret { return &c.APIKeys }, parseKey)},
		{Name: "insecure", Default: "false",
			Help:  "serve others without a key",
			field: toggle(func(c *Config) *bool { return &c.Insecure })},
		{Name: "allow-origin", Reloadable: true,
			Help:  "web origin whose pages may connect",
			field: several("ORIGIN", func(c *Config) *[]string { return &c.AllowOrigins }, parseOrigin, asText[string])},
		{Name: "allow-host", Reloadable: true,
			Help:  "name that a request's Host may carry",
			field: several("HOST", func(c *Config) *[]string { return &c.AllowHosts }, parseHost, asText[string])},
		{Name: "anonymous",
			Help:  "channels open to all without a token",
			field: patterns(func(c *Config) *[]wire.Pattern { return &c.Anonymous })},
		{Name: "client-publish",
			Help:  "channels clients may publish to",
			field: patterns(func(c *Config) *[]wire.Pattern { return &c.ClientPublish })},
	}
}

func tokenSettings() []Setting {
	return []Setting{
		{Name: "jwt-secret", Secret: true, Reloadable: true,
			Help:  "secret of HS256 tokens; better @FILE",
			field: secrets("TEXT|@FILE", MinJWTSecret, func(c *Config) *[]Secret { return &c.JWTSecrets }, parseJWTSecret)},
		{Name: "jwt-public-key", Reloadable: true,
			Help:  "key of signed tokens, PEM",
			field: several("FILE", func(c *Config) *[]string { return &c.JWTPublicKeys }, parseFile, asText[string])},
		{Name: "jwks-url",
			Help:  "where the keys of tokens are published",
			field: one("URL", "https, or http on loopback", func(c *Config) *string { return &c.JWKSURL }, parseKeyURL, asText[string])},
		{Name: "jwt-audience",
			Help:  "aud that every token must have",
			field: one("NAME", "", func(c *Config) *string { return &c.JWTAudience }, parseClaim, asText[string])},
		{Name: "jwt-issuer",
			Help:  "iss that every token must have",
			field: one("NAME", "", func(c *Config) *string { return &c.JWTIssuer }, parseClaim, asText[string])},
		{Name: "jwt-allow-no-expiry", Default: "false",
			Help:  "take tokens that never expire",
			field: toggle(func(c *Config) *bool { return &c.JWTAllowNoExpiry })},
	}
}
