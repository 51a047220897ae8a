package sealed_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/sealed/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) sealed.Store { return new(storetest.Memory) })
}

func newRoom(t *testing.T, kind string, store any) *sealed.Room {
	t.Helper()
	r, err := sealed.New(kind, store, newRing(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newRing(t *testing.T) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestWhatARoomSavesComesBackAndIsSealed(t *testing.T) {
	t.Parallel()
	store := new(storetest.Memory)
	room := newRoom(t, "wish", store)
	it := sealed.Item{Key: room.Key("vera", "12"), Group: room.Key("all"), Until: time.Now().Add(time.Hour), Plain: []byte("canary@example.org")}
	if err := room.Save(t.Context(), it); err != nil {
		t.Fatal(err)
	}
	got, err := room.Load(t.Context(), it.Key, room.Key("nobody"), it.Key)
	if err != nil || len(got) != 1 || string(got[it.Key].Plain) != "canary@example.org" || got[it.Key].Version != 1 {
		t.Errorf("Load = %v, %v", got, err)
	}
	raw, err := store.LoadDocs(t.Context(), "wish", []sealed.Key{it.Key})
	if err != nil || len(raw) != 1 || bytes.Contains(raw[0].Sealed, []byte("canary")) {
		t.Errorf("the store sees %+v, %v", raw, err)
	}
	listed, err := room.List(t.Context(), it.Group, sealed.Key{}, 10)
	if err != nil || len(listed) != 1 || listed[0].Key != it.Key {
		t.Errorf("List = %v, %v", listed, err)
	}
	if _, err := room.List(t.Context(), sealed.Key{}, sealed.Key{}, 10); err == nil {
		t.Error("documents without a group are listed")
	}
}

// Who can write to the store moves nothing from one person to another.
func TestADocumentOpensOnlyWhereItLay(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(d *sealed.Doc){
		"another key":   func(d *sealed.Doc) { d.Key[0]++ },
		"another group": func(d *sealed.Doc) { d.Group[0]++ },
		"a longer time": func(d *sealed.Doc) { d.Until = d.Until.Add(time.Hour) },
		"for good":      func(d *sealed.Doc) { d.Until = time.Time{} },
		"another text":  func(d *sealed.Doc) { d.Sealed = append(bytes.Clone(d.Sealed), 0) },
	} {
		store := new(storetest.Memory)
		room := newRoom(t, "wish", store)
		key := room.Key("vera")
		if err := room.Save(t.Context(), sealed.Item{Key: key, Group: room.Key("all"), Until: time.Now().Add(time.Hour), Plain: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		docs, err := store.LoadDocs(t.Context(), "wish", []sealed.Key{key})
		if err != nil {
			t.Fatal(err)
		}
		forged := docs[0]
		forge(&forged)
		forged.Version = 0
		if forged.Key == key {
			forged.Version = docs[0].Version
		}
		if err := store.SaveDocs(t.Context(), []sealed.Doc{forged}); err != nil {
			t.Fatal(err)
		}
		if got, err := room.Load(t.Context(), forged.Key); err == nil {
			t.Errorf("%s: Load = %v", name, got)
		}
	}
}

func TestKeysOfRoomsAndWordsAreTheirOwn(t *testing.T) {
	t.Parallel()
	store, ring := new(storetest.Memory), newRing(t)
	one, err := sealed.New("one", store, ring)
	if err != nil {
		t.Fatal(err)
	}
	two, err := sealed.New("two", store, ring)
	if err != nil {
		t.Fatal(err)
	}
	if one.Key("a") == two.Key("a") || one.Key("a", "bc") == one.Key("ab", "c") || one.Key("a") == newRoom(t, "one", store).Key("a") {
		t.Error("keys of different things are equal")
	}
	if err := one.Save(t.Context(), sealed.Item{Key: one.Key("a"), Plain: []byte{}}); err != nil {
		t.Fatal(err)
	}
	if got, err := two.Load(t.Context(), one.Key("a")); err != nil || len(got) != 0 {
		t.Errorf("another room finds %v, %v", got, err)
	}
	if err := one.Save(t.Context(), sealed.Item{Key: one.Key("a"), Plain: []byte("x")}); !errors.Is(err, sealed.ErrChanged) {
		t.Errorf("a document was made twice: %v", err)
	}
}

func TestAStoreThatKeepsNoDocumentsIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := sealed.New("wish", struct{}{}, newRing(t)); err == nil || !strings.Contains(err.Error(), "use the store sqlite or postgres") {
		t.Errorf("New = %v", err)
	}
}
