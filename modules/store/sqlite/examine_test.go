package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExaminationOpensWhatTheStartWould(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make       func(t *testing.T, path string)
		want, fail string
	}{
		"not there": {func(*testing.T, string) {}, "the first start makes", ""},
		"ours": {
			func(t *testing.T, path string) {
				t.Helper()
				db, err := open(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}, "can be opened", "",
		},
		"a newer build's": {
			func(t *testing.T, path string) {
				t.Helper()
				execAt(t, path, "PRAGMA application_id = 1129467207; PRAGMA user_version = 99")
			},
			"", "schema version 99",
		},
		"another program's":        {func(t *testing.T, path string) { t.Helper(); execAt(t, path, "CREATE TABLE x (y)") }, "", "another program's"},
		"another program's by its": {func(t *testing.T, path string) { t.Helper(); execAt(t, path, "PRAGMA application_id = 7") }, "", "another program's"},
		"no database": {
			func(t *testing.T, path string) {
				t.Helper()
				if err := os.WriteFile(path, []byte(strings.Repeat("x", 200)), 0o600); err != nil {
					t.Fatal(err)
				}
			}, "", "no SQLite file",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.make(t, filepath.Join(dir, fileName))
			before, _ := os.ReadDir(dir)
			got, err := new(Store).ExamineStore(t.Context(), dir)
			if c.fail == "" && (err != nil || !strings.Contains(got, c.want)) || c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("ExamineStore = %q, %v", got, err)
			}
			if after, _ := os.ReadDir(dir); len(after) != len(before) {
				t.Errorf("it made files: %v", after)
			}
		})
	}
}

func execAt(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
