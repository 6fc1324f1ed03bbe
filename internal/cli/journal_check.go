package cli

import (
	"encoding/json"

	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/engine/journal"
)

// checking is one run of journal check.
type checking struct {
	*app
	repair bool
}

func newJournalCheck(a *app) *cobra.Command {
	k := &checking{app: a}
	c := &cobra.Command{
		Use:   "check [flags] DIR",
		Short: "Read every message of a journal and say what is damaged",
		Long: `Read every message of a journal and say what is damaged. Exit code 0: it is
sound; 1: it is not. A server leaves out damaged messages by itself, tells
their readers of a gap, and starts; it refuses a file whose structure is
damaged. --repair makes a new file of what can be read of that, and keeps
the old one beside it, as journal.db.damaged. The server must be stopped.`,
		Example: `  holdfast journal check /var/lib/holdfast
  holdfast journal check --repair /var/lib/holdfast`,
		Args: arguments(1, 1, "one folder"),
	}
	c.Flags().BoolVar(&k.repair, "repair", false, "write the file anew from what can be read")
	a.outputFlags(c)
	c.RunE = func(_ *cobra.Command, args []string) error { return k.run(args[0]) }
	return c
}

// shownDamage is how many damaged places are listed for people.
const shownDamage = 20

// checked is what journal check says as JSON.
type checked struct {
	Sound bool `json:"sound"`
	*journal.Survey
	Repaired string `json:"repaired,omitempty"`
}

func (k *checking) run(dir string) error {
	s, err := examine(dir, 0)
	if err != nil {
		return err
	}
	answer := checked{Sound: s.Sound(), Survey: s}
	if k.repair && !answer.Sound {
		kept, report, err := journal.Repair(dir)
		if err != nil {
			return err
		}
		answer.Repaired = kept
		if !k.common.json {
			return k.printf("%s\n%s\n", strings.Join(k.lines(s), "\n"), repaired(kept, report))
		}
	}
	if k.common.json {
		err = json.NewEncoder(k.Out).Encode(answer)
	} else {
		err = k.printf("%s\n", strings.Join(k.lines(s), "\n"))
	}
	if err != nil || answer.Sound || answer.Repaired != "" {
		return err
	}
	return &exitError{code: exitFailed}
}

// lines returns the verdict for people.
func (k *checking) lines(s *journal.Survey) []string {
	verdict := "sound"
	switch {
	case s.Refused != "":
		verdict = "damaged: a server refuses to start with it"
	case s.Damaged > 0:
		verdict = "damaged: a server leaves out what is, and starts"
	}
	lines := []string{
		fmt.Sprintf("The journal in %s is %s.", plainLine(s.Dir), verdict),
		fmt.Sprintf("  read        %s messages of %s channels, %s idempotency keys", grouped(int64(s.Messages)), grouped(int64(s.Channels)), grouped(int64(s.Keys))),
	}
	if s.Refused != "" {
		lines = append(lines, "  refused     "+plainLine(s.Refused))
	}
	if s.Damaged > 0 {
		lines = append(lines, fmt.Sprintf("  damaged     %s places", grouped(int64(s.Damaged))))
		for _, d := range s.Damage[:min(len(s.Damage), shownDamage)] {
			lines = append(lines, "    "+plainLine(d.String()))
		}
		if more := s.Damaged - shownDamage; more > 0 {
			lines = append(lines, fmt.Sprintf("    and %s more", grouped(int64(more))))
		}
	}
	if s.InUse {
		lines = append(lines, "  in use      by "+holderOf(s)+"; read as it was a moment ago")
	} else if s.Open > 0 {
		lines = append(lines, fmt.Sprintf("  last end    not in order: channels of %d of 64 shards will have a gap", s.Open))
	}
	if !s.Sound() && !k.repair {
		lines = append(lines, fmt.Sprintf("Save what can be read: holdfast journal check --repair %s", plainLine(s.Dir)))
	}
	return lines
}

func holderOf(s *journal.Survey) string {
	if s.Holder == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d", s.Holder)
}

func repaired(kept string, r journal.Report) string {
	return fmt.Sprintf("Written anew, with %s messages of %s channels. Channels of %d of 64 shards have a gap.\nThe old file is %s; delete it when it is not needed.",
		grouped(int64(r.Messages)), grouped(int64(r.Channels)), r.Lost, plainLine(kept))
}
