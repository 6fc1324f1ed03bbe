package config

import "slices"

// table holds every setting, in the order of listings. Config says in full
// what each field means.
var table = slices.Concat(
	group("Serving", servingSettings()),
	group("Access", accessSettings()),
	group("Tokens", tokenSettings()),
	group("Messages", messageSettings()),
	group("Stopping", stoppingSettings()),
	group("Limits", limitSettings()),
	group("Logs", logSettings()),
)

// group puts settings under a heading.
func group(heading string, settings []Setting) []Setting {
	for i := range settings {
		settings[i].Group = heading
	}
	return settings
}
