package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// row is one line of the table.
type row struct {
	key    string
	what   string
	unit   string
	format string
	must   []bound
}

// bound is what holdfast must keep to: its value over the other server's (over
// 1 when there is none) is at most, or at least, limit.
type bound struct {
	other   string
	limit   float64
	atLeast bool
	words   string
}

func (sz sizes) rows() []row {
	return []row{
		{"fan cpu", fmt.Sprintf("fan-out at full speed, %s clients, %d B: server CPU per delivery", thousands(sz.fanClients), sz.fanSize), "µs", "%.3f", []bound{
			{"", 0.25, false, "≤ 0.25 µs"}, {"nats", 1. / 3, false, "≤ ⅓ of nats-server"}, {"gorilla", 1. / 12, false, "≤ 1/12 of gorilla"}}},
		{"fan rate", "the same: deliveries a second, server and clients sharing the machine", "k/s", "%.0f", nil},
		{"each cpu", fmt.Sprintf("one message at a time to %s: server CPU per delivery", thousands(sz.eachClients)), "µs", "%.2f", []bound{
			{"floor", 1.25, false, "≤ 1.25 × the C loop"}}},
		{"idle bytes", fmt.Sprintf("resident memory per idle client, %s of them", thousands(sz.idleClients)), "B", "%.0f", []bound{
			{"", 2048, false, "≤ 2,048 B"}}},
		{"connect cpu", "server CPU per connect, upgrade included", "µs", "%.1f", []bound{{"", 70, false, "≤ 70 µs"}}},
		{"channel bytes", fmt.Sprintf("%s channels, one subscriber each, over %s clients: memory per channel", thousands(sz.channels), thousands(sz.channelClients)), "B", "%.0f", []bound{
			{"", 600, false, "≤ 600 B"}}},
		{"lines rate", "publishes by NDJSON over one request, no subscriber", "k/s", "%.0f", []bound{{"", 250_000, true, "≥ 250 k/s"}}},
		{"lines cpu", "the same: server CPU per publish", "µs", "%.2f", nil},
		{"p99 without", fmt.Sprintf("p99 latency, %s clients, %.0f messages/s of %d KiB", thousands(sz.stalledClients), sz.stalledRate, sz.stalledSize>>10), "ms", "%.2f", nil},
		{"p99 with", "the same with one of them stalled: p99 of the others", "ms", "%.2f", nil},
		{"p99 ratio", "the second over the first", "×", "%.2f", []bound{{"", 1.2, false, "≤ 1.2 ×"}}},
		{"storm cpu", fmt.Sprintf("%s clients come back at once, each gets the %d messages that it missed: server CPU per client", thousands(sz.stormClients), sz.stormMissed), "µs", "%.0f", nil},
		{"storm plain cpu", "the same without `since`: nothing to get", "µs", "%.0f", nil},
		{"storm message cpu", "so much of it for each message", "µs", "%.2f", nil},
		{"storm time", "until all have all of it", "s", "%.2f", nil},
		{"storm plain time", "without `since`", "s", "%.2f", nil},
		{"storm memory", "the server's memory at its peak", "MiB", "%.0f", nil},
		{"storm plain memory", "without `since`", "MiB", "%.0f", nil},
		{"async fan rate", "journal, async: deliveries a second of the fan-out at full speed", "k/s", "%.0f", nil},
		{"async fan ratio", "over those without a journal", "×", "%.2f", []bound{{"", 0.85, true, "≥ 0.85 ×"}}},
		{"async one rate", "journal, async: publishes by NDJSON, no subscriber, one channel", "k/s", "%.0f", nil},
		{"async one ratio", "over those without a journal", "×", "%.2f", []bound{{"", 0.85, true, "≥ 0.85 ×"}}},
		{"async many rate", fmt.Sprintf("the same to %s channels in turn", thousands(sz.linesChannels)), "k/s", "%.0f", nil},
		{"async many ratio", "over those without a journal", "×", "%.2f", []bound{{"", 0.85, true, "≥ 0.85 ×"}}},
		{"sync latency", "this disk: 4 KiB written and fdatasync", "ms", "%.3f", nil},
		{"sync engine", fmt.Sprintf("journal, sync: acknowledged publishes of %d publishers, at the engine", sz.syncPublishers), "k/s", "%.1f", []bound{{"", 20_000, true, "≥ 20 k/s at 0.2 ms"}}},
		{"sync http", "over HTTP, a connection each", "k/s", "%.1f", []bound{{"", 20_000, true, "≥ 20 k/s at 0.2 ms"}}},
		{"sync memory latency", "a folder in memory: 4 KiB written and fdatasync", "ms", "%.3f", nil},
		{"sync memory engine", "journal, sync, there: at the engine", "k/s", "%.1f", nil},
		{"sync memory http", "over HTTP", "k/s", "%.1f", nil},
		{"sync none http", "over HTTP without a journal", "k/s", "%.1f", nil},
	}
}

// thousands writes 15000 as 15,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// results holds every value measured: by server, by row, one per round.
type results map[string]map[string][]float64

func (r results) add(server string, v values) {
	if r[server] == nil {
		r[server] = map[string][]float64{}
	}
	for key, value := range v {
		r[server][key] = append(r[server][key], value)
	}
}

// median is the middle of what the rounds gave.
func (r results) median(server, key string) (v float64, ok bool) {
	all := slices.Sorted(slices.Values(r[server][key]))
	if len(all) == 0 {
		return 0, false
	}
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, true
}

// write writes the table in Markdown: holdfast's figures, those of the others
// with their ratio to holdfast's, and what was to be kept to.
func (r results) write(w io.Writer, all []server, rows []row, verdicts bool) {
	head, line := "| what |", "| --- |"
	for _, s := range all {
		head, line = head+" "+s.title+" |", line+" ---: |"
	}
	if verdicts {
		head, line = head+" must be |", line+" --- |"
	}
	fmt.Fprintln(w, head)
	fmt.Fprintln(w, line)
	for _, row := range rows {
		own, measured := r.median("holdfast", row.key)
		cells, any := []string{row.what}, false
		for _, s := range all {
			v, ok := r.median(s.name, row.key)
			any = any || ok
			cells = append(cells, row.cell(v, ok, own, measured && s.name != "holdfast"))
		}
		if verdicts {
			cells = append(cells, r.verdict(row))
		}
		if any {
			fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |")
		}
	}
}

// cell is one figure, with its ratio to holdfast's own where asked.
func (row row) cell(v float64, ok bool, own float64, ratio bool) string {
	if !ok {
		return "–"
	}
	shown := v
	if row.unit == "k/s" {
		shown /= 1000
	}
	cell := fmt.Sprintf(row.format+" %s", shown, row.unit)
	if ratio && own > 0 && row.unit != "×" {
		cell += fmt.Sprintf(" (%s ×)", significant(v/own))
	}
	return cell
}

// significant writes a ratio with two digits that count.
func significant(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// verdict says for each bound of a row whether holdfast keeps to it.
func (r results) verdict(row row) string {
	var words []string
	for _, b := range row.must {
		v, ok := r.median("holdfast", row.key)
		of := 1.0
		if b.other != "" {
			var there bool
			of, there = r.median(b.other, row.key)
			ok = ok && there
		}
		switch {
		case !ok:
			words = append(words, b.words+": not measured")
		case (v/of <= b.limit) != b.atLeast:
			words = append(words, b.words+": yes")
		default:
			words = append(words, b.words+": **no**")
		}
	}
	return strings.Join(words, "; ")
}
