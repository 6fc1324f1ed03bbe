package cli

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/engine/journal"
)

func newJournal(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "journal COMMAND",
		Short: "Look at the folder that a server keeps its history in",
		Long: `Look at the folder that a server keeps its history in (--data DIR). Both
commands read it while a server uses it, and change nothing.`,
		Example: `  holdfast journal stats /var/lib/holdfast
  holdfast journal check /var/lib/holdfast`,
		Args: knownCommand,

		DisableFlagsInUseLine: true,
	}
	c.Run = a.help
	c.AddCommand(newJournalCheck(a), newJournalStats(a))
	return c
}

// examine looks at the journal of a folder.
func examine(dir string, top int) (*journal.Survey, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("there is no folder %s", plainLine(dir))
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, usage("%s is no folder; name the one that the server was given by --data", plainLine(dir))
	}
	return journal.Examine(dir, top)
}
