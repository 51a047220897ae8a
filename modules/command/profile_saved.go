package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/metadata"
	"github.com/crmgate/crmgate/internal/profile/trial"
)

// Limits of the documents in which a CRM says what it holds.
const (
	maxSaved      = 64 << 20
	maxSavedFiles = 500
)

// saved reads documents in which a CRM says what it holds: files, or a folder of them.
// It is nil where the source is something else: a collection, or recorded exchanges.
func saved(sources []string) (*metadata.Schema, error) {
	var files []metadata.File
	for _, source := range sources {
		list, err := savedFiles(source)
		if err != nil {
			return nil, err
		}
		if list == nil && len(sources) > 1 {
			return nil, fmt.Errorf("%s is no document in which a CRM says what it holds; several files are for those", source)
		}
		files = append(files, list...)
	}
	if len(files) == 0 {
		return nil, nil
	}
	if len(files) > maxSavedFiles {
		return nil, fmt.Errorf("there are %d documents; give at most %d at once", len(files), maxSavedFiles)
	}
	return metadata.Read(files)
}

// savedFiles are the documents of a source; none where it is something else.
func savedFiles(source string) ([]metadata.File, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, nil //nolint:nilerr // FILE#WHICH, or who reads it says what is wrong
	}
	if !info.IsDir() {
		if strings.EqualFold(filepath.Ext(source), ".har") {
			return nil, nil
		}
		src, err := readSaved(source)
		if err != nil || !metadata.Is(src) {
			return nil, err
		}
		return []metadata.File{{Name: source, Bytes: src}}, nil
	}
	if _, err := os.Stat(filepath.Join(source, trial.ManifestName)); err == nil {
		return nil, nil
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return nil, err
	}
	var files []metadata.File
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".json", ".xml"}, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		name := filepath.Join(source, e.Name())
		src, err := readSaved(name)
		if err != nil {
			return nil, err
		}
		files = append(files, metadata.File{Name: name, Bytes: src})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has neither a %s nor documents (.json, .xml) in which a CRM says what it holds", source, trial.ManifestName)
	}
	return files, nil
}

func readSaved(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSaved {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxSaved>>20)
	}
	return os.ReadFile(name)
}
