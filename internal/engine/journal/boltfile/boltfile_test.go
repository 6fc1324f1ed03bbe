package boltfile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"holdfast.dev/holdfast/internal/engine/journal/boltfile"
)

// model is what a file should have: bucket, then key, then value.
type model map[string]map[string]string

// change makes one random transaction, in the file and in the model.
func (m model) change(t *testing.T, db *bbolt.DB, r *rand.Rand) {
	t.Helper()
	err := db.Update(func(tx *bbolt.Tx) error {
		for range r.IntN(80) {
			name := fmt.Sprint("bucket-", r.IntN(3))
			b, err := tx.CreateBucketIfNotExists([]byte(name))
			if err != nil {
				return err
			}
			if m[name] == nil {
				m[name] = make(map[string]string)
			}
			key := fmt.Sprintf("%0*d", 1+r.IntN(12), r.IntN(2000))
			if r.IntN(3) == 0 {
				delete(m[name], key)
				if err := b.Delete([]byte(key)); err != nil {
					return err
				}
				continue
			}
			long := r.IntN(100)
			if r.IntN(20) == 0 {
				long = r.IntN(20_000)
			}
			m[name][key] = string(bytes.Repeat([]byte{byte(r.Uint32())}, long))
			if err := b.Put([]byte(key), []byte(m[name][key])); err != nil {
				return err
			}
		}
		// Runs of keys are deleted too.
		for name, keys := range m {
			sorted := slices.Sorted(maps.Keys(keys))
			if len(sorted) < 50 || r.IntN(3) > 0 {
				continue
			}
			from := r.IntN(len(sorted) - 40)
			for _, key := range sorted[from : from+r.IntN(40)] {
				delete(keys, key)
				if err := tx.Bucket([]byte(name)).Delete([]byte(key)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// same expects that the file has what the model has, in order.
func (m model) same(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := boltfile.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	last := make(map[string]string)
	items := 0
	f.Walk(func(bucket string, key, value []byte) {
		if m[bucket][string(key)] != string(value) {
			t.Fatalf("%s %q is %.40q, should be %.40q", bucket, key, value, m[bucket][string(key)])
		}
		if before, ok := last[bucket]; ok && before >= string(key) {
			t.Fatalf("%s: %q comes after %q", bucket, key, before)
		}
		last[bucket] = string(key)
		items++
	})
	for _, keys := range m {
		items -= len(keys)
	}
	if items != 0 {
		t.Fatalf("%d items too many", items)
	}
	if len(f.Faults()) > 0 || f.Odd() || !f.WholeHead() || f.Changed() {
		t.Fatalf("a sound file: %v, odd is %v, the head is whole: %v", f.Faults(), f.Odd(), f.WholeHead())
	}
}

func open(t *testing.T, path string, pageSize int) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestFile_IsReadAsTheLibraryWroteIt makes random changes and compares the
// file with what it should have, again and again.
func TestFile_IsReadAsTheLibraryWroteIt(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("the seed is %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, pageSize := range []int{1024, 4096, 65536} {
		path := filepath.Join(t.TempDir(), "file")
		db, m := open(t, path, pageSize), make(model)
		for i := range 300 {
			m.change(t, db, r)
			if i%5 == 0 {
				m.same(t, path)
			}
		}
	}
}

// TestFile_WithAPageThatIsUsedAndFreeIsFaulty names each page in use in the
// list of free ones.
func TestFile_WithAPageThatIsUsedAndFreeIsFaulty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	db, m, r := open(t, path, 4096), make(model), rand.New(rand.NewPCG(1, 1))
	for range 30 {
		m.change(t, db, r)
	}
	b, _ := os.ReadFile(path)
	head := b
	if tx := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at+64:]) }; tx(4096) > tx(0) {
		head = b[4096:]
	}
	list := int(binary.NativeEndian.Uint64(head[48:])) * 4096
	count := int(binary.NativeEndian.Uint16(b[list+10:]))
	free := func(i int) uint64 { return binary.NativeEndian.Uint64(b[list+16+8*i:]) }
	tried := 0
	for i := range count - 1 {
		for id := free(i) + 1; id < free(i+1); id++ {
			wrong := bytes.Clone(b)
			binary.NativeEndian.PutUint64(wrong[list+16+8*i:], id)
			f, err := boltfile.Open(bytes.NewReader(wrong), int64(len(wrong)))
			if err != nil {
				t.Fatal(err)
			}
			if f.Walk(func(string, []byte, []byte) {}); len(f.Faults()) == 0 {
				t.Errorf("page %d is used and called free", id)
			}
			tried++
		}
	}
	if tried < 20 {
		t.Errorf("only %d pages were tried", tried)
	}
}

// TestFile_WithAnInvalidHeadIsReadByTheOther damages each head in turn.
func TestFile_WithAnInvalidHeadIsReadByTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	db, m, r := open(t, path, 4096), make(model), rand.New(rand.NewPCG(1, 1))
	for range 5 {
		m.change(t, db, r)
	}
	b, _ := os.ReadFile(path)
	var seen []uint64
	for _, at := range []int{0, 4096} {
		torn := bytes.Clone(b)
		torn[at+40] ^= 1
		f, err := boltfile.Open(bytes.NewReader(torn), int64(len(torn)))
		if err != nil {
			t.Fatal(err)
		}
		tx, whole, err := boltfile.Transaction(bytes.NewReader(torn), int64(len(torn)))
		if err != nil || whole || f.WholeHead() {
			t.Errorf("a file with one head is called whole: %v", err)
		}
		f.Walk(func(string, []byte, []byte) {})
		if len(f.Faults()) > 0 {
			t.Errorf("head at %d damaged: %v", at, f.Faults())
		}
		seen = append(seen, tx)
	}
	if seen[0] == seen[1] || seen[0]+1 != seen[1] && seen[1]+1 != seen[0] {
		t.Errorf("the heads are of transactions %v", seen)
	}
	clear(b[:8192])
	if _, err := boltfile.Open(bytes.NewReader(b), int64(len(b))); err != boltfile.ErrNotBolt {
		t.Errorf("a file without heads: %v", err)
	}
}

// FuzzFile reads a file with eight bytes changed in two places; where it is a
// head, its checksum is made to match.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "file")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		f.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			for range 60 {
				_ = b.Put(fmt.Append(nil, r.IntN(1000)), bytes.Repeat([]byte("v"), r.IntN(300)))
				_ = b.Delete(fmt.Append(nil, r.IntN(1000)))
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	_ = db.Close()
	file, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(16), uint64(0), uint32(5000), uint64(1), uint32(len(file)))
	f.Fuzz(func(t *testing.T, at1 uint32, value1 uint64, at2 uint32, value2 uint64, size uint32) {
		b := bytes.Clone(file[:min(int(size), len(file))])
		for at, value := range map[uint32]uint64{at1: value1, at2: value2} {
			if i := int(at) % len(file); i+8 <= len(b) {
				binary.LittleEndian.PutUint64(b[i:], value)
			}
		}
		boltfile.Reseal(b)
		read, err := boltfile.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		read.Walk(func(string, []byte, []byte) {})
	})
}
