package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast.dev/holdfast/internal/chanlog"
	"holdfast.dev/holdfast/internal/engine/ledger"
	"holdfast.dev/holdfast/internal/wire"
)

// filled returns the file of a journal that ended in order, and what was
// published to it.
func filled(t testing.TB, r *rand.Rand) (*world, []byte) {
	t.Helper()
	e := open(t, Config{Dir: folder(t), Durability: Sync, Rules: fifty})
	w := newWorld(t)
	now := time.Now()
	for n := range 600 {
		w.submit(e, fmt.Sprint("c", r.IntN(1+r.IntN(25))), data(r, n))
		if r.IntN(20) == 0 {
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			e.step(now)
		}
	}
	e.step(now)
	if err := e.SetState("revoked", []byte("somebody")); err != nil {
		t.Fatal(err)
	}
	if err := e.finish(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return w, content(t, e)
}

// damage changes a few bytes of a file, or more.
func damage(r *rand.Rand, file []byte) ([]byte, string) {
	b := bytes.Clone(file)
	at := r.IntN(len(b))
	switch r.IntN(6) {
	case 0:
		return b[:at], fmt.Sprintf("cut at %d", at)
	case 1:
		b[at] ^= 1 << r.IntN(8)
		return b, fmt.Sprintf("a bit flipped at %d", at)
	case 2:
		n := min(len(b)-at, 1+r.IntN(64))
		for i := range n {
			b[at+i] = byte(r.Uint32())
		}
		return b, fmt.Sprintf("%d bytes of noise at %d", n, at)
	case 3:
		at = at / 512 * 512
		clear(b[at:min(at+512, len(b))])
		return b, fmt.Sprintf("a sector of zeros at %d", at)
	case 4:
		from, to := r.IntN(len(b)/page)*page, r.IntN(len(b)/page)*page
		copy(b[to:to+page], b[from:from+page])
		return b, fmt.Sprintf("the page at %d is that of %d", to, from)
	default:
		// Where things are: a header of a page, small numbers in it.
		at = at/page*page + r.IntN(64)
		at = min(at, len(b)-1)
		b[at] = byte(r.IntN(256))
		return b, fmt.Sprintf("a byte of a header at %d", at)
	}
}

// TestDamage_IsRefusedOrToldNeverServed opens files that were damaged at
// random.
func TestDamage_IsRefusedOrToldNeverServed(t *testing.T) {
	r := rand.New(rand.NewPCG(seeded(t), 3))
	w, file := filled(t, r)
	times := 400
	if testing.Short() {
		times = 60
	}
	refused, told, why := 0, 0, ""
	defer func() {
		if t.Failed() {
			t.Log("the file had", why)
		}
	}()
	for range times {
		damaged, how := damage(r, file)
		e, err := Open(Config{Dir: copied(t, damaged), Durability: Sync, Rules: fifty}, nobody{})
		if err != nil {
			if _, ok := errors.AsType[*DamageError](err); !ok {
				t.Fatalf("%s: %T: %v", how, err, err)
			}
			refused++
			continue
		}
		if rep := e.Report(); rep.Damaged > 0 || rep.Lost > 0 {
			told++
		}
		if rep := e.Report(); rep.Fresh && len(damaged) > 0 {
			t.Fatalf("%s: taken for no journal", how)
		} else if len(damaged) > 0 {
			why = how
			w.check(e, false)
			w.goesOn(e)
			if err := e.finish(); err != nil {
				t.Fatalf("%s: %v", how, err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
	}
	t.Logf("of %d files, %d were refused, %d opened with a gap, the others were not touched where it counts", times, refused, told)
	if refused == 0 || told == 0 {
		t.Error("the damage was too little to show anything")
	}
}

// TestDamage_OfARecordIsAGapInItsPlace damages one message.
func TestDamage_OfARecordIsAGapInItsPlace(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Durability: Sync, Rules: fifty})
	w := newWorld(t)
	for i := range 10 {
		w.submit(e, "a", fmt.Sprintf(`"message-%d"`, i))
		e.step(time.Now())
	}
	if err := e.finish(); err != nil {
		t.Fatal(err)
	}
	file := content(t, e)
	at := bytes.LastIndex(file, []byte("message-4"))
	if at < 0 {
		t.Fatal("message 4 is not in the file")
	}
	for { // all copies: the free pages have some
		file[at] ^= 1
		if at = bytes.LastIndex(file, []byte("message-4")); at < 0 {
			break
		}
	}
	damaged := open(t, Config{Dir: copied(t, file), Durability: Sync, Rules: fifty})
	report := damaged.Report()
	if report.Damaged != 1 || len(report.Damage) != 1 || report.Damage[0].Channel != "a" || report.Damage[0].Seq != w.channels["a"][4].id.Seq {
		t.Errorf("the report says %+v", report)
	}
	page, err := damaged.Read(t.Context(), "a", w.channels["a"][2].id, 0)
	if err != nil || !page.Complete {
		t.Fatal(page, err)
	}
	var kinds []string
	for entry := page.First; entry != nil; entry = entry.Next() {
		if entry.Kind == chanlog.Gap {
			kinds = append(kinds, string(entry.JSON()))
		} else {
			kinds = append(kinds, string(w.frame(entry).Data))
		}
	}
	want := fmt.Sprintf(`"message-3" {"type":"gap","channel":"a","after":"%v","reason":"restarted"} "message-5"`, w.channels["a"][3].id)
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, want) {
		t.Errorf("what is there is %s", got)
	}
	w.check(damaged, false)
	// It is deleted, and not reported again.
	if err := damaged.finish(); err != nil {
		t.Fatal(err)
	}
	if err := damaged.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Dir: damaged.dir, Durability: Sync, Rules: fifty})
	if r := again.Report(); r.Damaged > 0 {
		t.Errorf("reported again: %+v", r)
	}
	w.check(again, false)
}

// TestDamage_OfTheLastMessageIsTold damages that which none follows.
func TestDamage_OfTheLastMessageIsTold(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Durability: Sync, Rules: fifty})
	w := newWorld(t)
	for i := range 10 {
		w.submit(e, "a", fmt.Sprintf(`"message-%d"`, i))
		e.step(time.Now())
	}
	if err := e.finish(); err != nil {
		t.Fatal(err)
	}
	file := bytes.ReplaceAll(content(t, e), []byte("message-9"), []byte("massage-9"))
	damaged := open(t, Config{Dir: copied(t, file), Durability: Sync, Rules: fifty})
	w.check(damaged, false)
	w.goesOn(damaged)
	w.check(damaged, false)
	if r := damaged.Report(); r.Lost != 1 {
		t.Errorf("the report: %+v", r)
	}
}

// TestDamage_OfTheNewestHeadIsTold makes the file fall back to the
// transaction before the last, which was acknowledged.
func TestDamage_OfTheNewestHeadIsTold(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Durability: Sync, Rules: fifty})
	w := newWorld(t)
	now := time.Now()
	for i := range 12 {
		w.submit(e, fmt.Sprint("c", i%3), fmt.Sprint(i))
		e.step(now)
		file := content(t, e)
		newest := 0
		if tx := func(at int) uint64 { return binary.NativeEndian.Uint64(file[at+16+48:]) }; tx(page) > tx(0) {
			newest = page
		}
		file[newest+16+50] ^= 1
		damaged := open(t, Config{Dir: copied(t, file), Durability: Sync, Rules: fifty})
		w.check(damaged, false)
		w.goesOn(damaged)
	}
}

func TestDamage_OfStateIsRefused(t *testing.T) {
	e := open(t, Config{Dir: folder(t), Rules: fifty})
	if err := e.SetState("revoked", []byte("somebody-in-particular")); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file := bytes.ReplaceAll(content(t, e), []byte("somebody-in"), []byte("nobody---in"))
	_, err := Open(Config{Dir: copied(t, file)}, nobody{})
	if _, ok := errors.AsType[*DamageError](err); !ok || !strings.Contains(err.Error(), `"revoked"`) {
		t.Errorf("opening says %v", err)
	}
}

func TestDamage_IsExplained(t *testing.T) {
	dir := copied(t, []byte(strings.Repeat("this is no journal", 1000)))
	_, err := Open(Config{Dir: dir}, nobody{})
	if err == nil {
		t.Fatal("it was opened")
	}
	file := filepath.Join(dir, fileName)
	for _, words := range []string{dir, "holdfast journal check " + dir, "--repair", "mv " + file + " " + file + ".away"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q does not say %q", err, words)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestRecord_IsReadAsItWasWritten(t *testing.T) {
	for _, r := range []record{
		{pos: 1, seq: 1, channel: "a", json: []byte(`{}`), first: true},
		{pos: 1 << 60, seq: 1 << 40, prev: 77, at: 1 << 31, kind: chanlog.Gap, channel: strings.Repeat("x", 200), json: []byte(`{"x":"` + strings.Repeat("y", 1<<20) + `"}`)},
	} {
		got, err := parseRecord(appendPosition(nil, r.pos), appendRecord(nil, &r))
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", r) {
			t.Errorf("%+v is read as %+v, %v", r, got, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	r := record{pos: 5, seq: 9, prev: 3, at: 77, channel: "news", json: []byte(`{"a":1}`)}
	f.Add(appendPosition(nil, r.pos), appendRecord(nil, &r))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := parseRecord(key, value)
		if err != nil {
			return
		}
		if wire.CheckChannel(r.channel) != nil || wire.CheckJSON(r.json) != nil || r.prev >= r.seq {
			t.Fatalf("%+v is taken for a record", r)
		}
		if !bytes.Equal(appendRecord(nil, &r), value) || !bytes.Equal(appendPosition(nil, r.pos), key) {
			t.Fatalf("%+v would be written otherwise", r)
		}
	})
}

func FuzzKey(f *testing.F) {
	k := keyRecord{shard: 3, key: ledger.Key{Seq: 5, At: 99}}
	place := appendKeyPlace(nil, &k.key)
	f.Add(place, appendKeyValue(nil, place, &k))
	f.Fuzz(func(t *testing.T, place, value []byte) {
		if k, err := parseKey(place, value); err == nil && !bytes.Equal(appendKeyValue(nil, place, &k), value) {
			t.Fatalf("%+v would be written otherwise", k)
		}
	})
}

func FuzzHeads(f *testing.F) {
	h := heads{next: 7}
	f.Add(h.encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		var h heads
		if h.decode(value) == nil && !bytes.Equal(h.encode(), value) {
			t.Fatal("they would be written otherwise")
		}
		decodeNotes(value)
	})
}

// FuzzOpen damages a file at two places, and its heads with valid checksums
// too, and opens what that makes.
func FuzzOpen(f *testing.F) {
	w, file := filled(f, rand.New(rand.NewPCG(1, 2)))
	f.Add(uint32(0), uint64(0), uint32(5000), uint64(1))
	f.Fuzz(func(t *testing.T, at1 uint32, value1 uint64, at2 uint32, value2 uint64) {
		b := bytes.Clone(file)
		for _, p := range []struct {
			at    uint32
			value uint64
		}{{at1, value1}, {at2, value2}} {
			for i := range 8 {
				b[(int(p.at)+i)%len(b)] ^= byte(p.value >> (8 * i))
			}
		}
		e, err := Open(Config{Dir: copied(t, b), Durability: Sync, Rules: fifty}, nobody{})
		if err != nil {
			return
		}
		defer e.Close()
		inner := *w
		inner.TB = t
		inner.check(e, false)
		if err := e.finish(); err != nil {
			t.Fatal(err)
		}
	})
}
