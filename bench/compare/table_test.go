package main

import (
	"strings"
	"testing"
)

func TestResults_WriteMediansRatiosAndVerdicts(t *testing.T) {
	r := results{}
	for _, cpu := range []float64{0.3, 0.1, 0.2} {
		r.add("holdfast", values{"fan cpu": cpu, "lines rate": 200_000})
		r.add("nats", values{"fan cpu": 5 * cpu})
	}
	var table strings.Builder
	all, err := choose(servers(""), "holdfast,nats", func(s server) string { return s.name })
	if err != nil {
		t.Fatal(err)
	}
	r.write(&table, all, fullSize.rows(), true)
	want := `| what | **holdfast** | nats-server 2.15 | must be |
| --- | ---: | ---: | --- |
| fan-out at full speed, 1,000 clients, 128 B: server CPU per delivery | 0.200 µs | 1.000 µs (5.0 ×) | ≤ 0.25 µs: yes; ≤ ⅓ of nats-server: yes; ≤ 1/12 of gorilla: not measured |
| publishes by NDJSON over one request, no subscriber | 200 k/s | – | ≥ 250 k/s: **no** |
`
	if table.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", table.String(), want)
	}
}

func TestChoose_NamesWhatIsUnknown(t *testing.T) {
	_, err := choose(measurements, "fanout,fnaout", func(m measurement) string { return m.name })
	if err == nil || !strings.Contains(err.Error(), `"fnaout" is none of fanout, each`) {
		t.Errorf("error %v", err)
	}
}
