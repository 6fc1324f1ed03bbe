package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"holdfast.dev/holdfast/internal/engine/journal"
	"holdfast.dev/holdfast/internal/wire"
)

// surveying is one run of journal stats.
type surveying struct {
	*app
	top int
}

func newJournalStats(a *app) *cobra.Command {
	y := &surveying{app: a}
	c := &cobra.Command{
		Use:   "stats [flags] DIR",
		Short: "Say how much a journal holds, and of which channels",
		Example: `  holdfast journal stats /var/lib/holdfast
  holdfast journal stats --top 100 --json /var/lib/holdfast | jq .top`,
		Args: arguments(1, 1, "one folder"),
	}
	c.Flags().IntVar(&y.top, "top", 10, "`COUNT` list so many of the largest channels (10)")
	a.outputFlags(c)
	c.RunE = func(_ *cobra.Command, args []string) error { return y.run(args[0]) }
	return c
}

// channelStats is a channel as JSON.
type channelStats struct {
	journal.ChannelSurvey
	ID string `json:"id"`
}

func (y *surveying) run(dir string) error {
	if y.top < 0 {
		return usage("--top must not be less than 0")
	}
	s, err := examine(dir, y.top)
	if err != nil {
		return err
	}
	if s.Refused != "" {
		return fmt.Errorf("the journal is damaged: %s; see more: holdfast journal check %s", s.Refused, dir)
	}
	if y.common.json {
		top := make([]channelStats, len(s.Top))
		for i, c := range s.Top {
			top[i] = channelStats{c, c.ID.String()}
		}
		return json.NewEncoder(y.Out).Encode(struct {
			*journal.Survey
			Top []channelStats `json:"top"`
		}{s, top})
	}
	return y.show(s)
}

func (y *surveying) show(s *journal.Survey) error {
	lines := []string{
		"journal in " + plainLine(s.Dir),
		"  channels    " + grouped(int64(s.Channels)),
		"  messages    " + grouped(int64(s.Messages)) + ", " + bytesText(s.Bytes),
		"  file        " + bytesText(s.File),
		"  epoch       " + s.Epoch,
	}
	if s.Oldest != nil {
		lines = append(lines, "  oldest      "+s.Oldest.Format(time.RFC3339), "  newest      "+s.Newest.Format(time.RFC3339))
	}
	if s.InUse {
		lines = append(lines, "  in use      by "+holderOf(s))
	}
	if err := y.printf("%s\n", strings.Join(lines, "\n")); err != nil || len(s.Top) == 0 {
		return err
	}
	w := tabwriter.NewWriter(y.Out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\nmessages\tsize\tnewest\t  channel\n")
	for _, c := range s.Top {
		fmt.Fprintf(w, "%s\t%s\t%s\t  %s\n", grouped(int64(c.Messages)), bytesText(c.Bytes), c.Newest.Format(time.RFC3339), wire.Quote(c.Channel))
	}
	return w.Flush()
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
