package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/policies"
)

func (h *Handler) loadProfile() error {
	if h.Profile == "" {
		return errors.New("crm_gate needs a profile: `profile tryton`, or the path of a YAML file")
	}
	src, err := readProfile(h.Profile)
	if err != nil {
		return fmt.Errorf("reading the profile: %w", err)
	}
	if h.profile, err = profile.Load(src); err != nil {
		return fmt.Errorf("profile %s: %w", h.Profile, err)
	}
	return h.checkEvidence()
}

func readProfile(name string) ([]byte, error) {
	if ships(name) {
		return profile.Builtin(name)
	}
	return os.ReadFile(name)
}

// ships reports whether a profile is named, and not a file's path.
func ships(name string) bool { return filepath.Base(name) == name && filepath.Ext(name) == "" }

// filesNow is the digest of the files with profile and policies, "" where none can be
// read: loading says what is wrong. What ships changes with the program alone.
func (h *Handler) filesNow() string {
	sum, some := sha256.New(), false
	add := func(name string) {
		if raw, err := os.ReadFile(name); err == nil {
			some = true
			_, _ = fmt.Fprintf(sum, "%s %d ", name, len(raw)) // a hash takes all
			_, _ = sum.Write(raw)
		}
	}
	if !ships(h.Profile) {
		add(h.Profile)
	}
	for _, name := range h.Policies {
		if _, built := cutBuiltin(name); !built {
			add(name)
		}
	}
	for _, name := range h.HouseRules.files() {
		add(name)
	}
	if !some {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// checkEvidence refuses a profile that nobody has tried against a running CRM,
// unless the configuration says that this is known, or that it is being tried.
func (h *Handler) checkEvidence() error {
	if h.Accept != "" && h.Accept != acceptDocumented {
		return fmt.Errorf("accept: %q is no word of it; write accept %s", h.Accept, acceptDocumented)
	}
	if h.Accept == "" && !h.profile.Live() && h.Observe == nil {
		return fmt.Errorf("profile %s: its evidence is %q: it was never tried against a running CRM, and may refuse what people need. "+
			"Try it with your own (crmgate explain, crmgate profile test), then write into crm_gate: accept %s", h.Profile, h.profile.Evidence, acceptDocumented)
	}
	return nil
}

func (h *Handler) loadPolicy() error {
	if len(h.Policies) == 0 {
		return errors.New("crm_gate needs a policy: `policy policies/policy.csv`")
	}
	files := make([]policy.File, 0, len(h.Policies))
	for _, name := range h.Policies {
		raw, err := readPolicy(name)
		if err != nil {
			return fmt.Errorf("reading the policy: %w", err)
		}
		files = append(files, policy.File{Name: name, Bytes: raw})
	}
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		return fmt.Errorf("reading the policy model: %w", err)
	}
	h.policy, err = policy.Load(files, model, policy.Vocabulary{Entities: h.profile.Entities()})
	if err != nil {
		return fmt.Errorf("loading the policy: %w", err)
	}
	return nil
}

func readPolicy(name string) ([]byte, error) {
	if base, ok := cutBuiltin(name); ok {
		raw, err := policies.Files.ReadFile(base + ".csv")
		if err != nil {
			ship, _ := fs.Glob(policies.Files, "*.csv")
			return nil, fmt.Errorf("no policy %q ships with crmgate; there are: %s; or give the path of a file",
				base, strings.ReplaceAll(strings.Join(ship, ", "), ".csv", ""))
		}
		return raw, nil
	}
	return os.ReadFile(name)
}
