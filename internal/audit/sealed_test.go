package audit

import (
	"reflect"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// fill sets everything that is written to something that can be told from none.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0).UTC()))
		return
	case access.Treatment:
		v.Set(reflect.ValueOf(access.Hidden))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" && f.IsExported() {
				fill(t, v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	default:
		t.Fatalf("a %s in an entry: teach fill to set it", v.Type())
	}
}

func TestEveryFieldOfAnEntryIsSealed(t *testing.T) {
	var e Entry
	fill(t, reflect.ValueOf(&e).Elem())
	raw, err := encodeEntry(&e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, &e) {
		t.Errorf("sealed and opened again:\n%+v, want\n%+v", got, &e)
	}
}
