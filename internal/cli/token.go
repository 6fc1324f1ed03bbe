package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/wire"
)

func newToken(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "token COMMAND",
		Short: "Make tokens for clients, and see what they allow",
		Long: `Make tokens for clients, and see what they allow. A token says who a client
is and which channels it may use; the server takes those signed with a key
that it was started with (--jwt-secret, --jwt-public-key or --jwks-url).`,
		Example: `  holdfast token create --secret @secret --sub ann --channels news
  holdfast token check --jwt-secret @secret TOKEN`,
		Args: knownCommand,

		DisableFlagsInUseLine: true,
	}
	c.Run = a.help
	c.AddCommand(newTokenCreate(a), newTokenCheck(a))
	return c
}

// patternList is the value of a flag that names channels: exact names and
// prefixes, separated by commas; the flag may be repeated.
type patternList []wire.Pattern

func (l *patternList) String() string { return strings.Join(texts(*l), ",") }

func (l *patternList) Type() string { return "PATTERNS" }

func (l *patternList) Set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		p := wire.Pattern(strings.TrimSpace(item))
		if err := p.Check(); err != nil {
			return err
		}
		*l = append(*l, p)
	}
	return nil
}

func texts(patterns []wire.Pattern) []string {
	list := make([]string, len(patterns))
	for i, p := range patterns {
		list[i] = string(p)
	}
	return list
}
