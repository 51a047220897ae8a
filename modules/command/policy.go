package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/policies"
)

func policyCommand(cmd *cobra.Command) {
	var profileName string
	var asJSON bool
	check := &cobra.Command{
		Use:     "check FILE... --profile PROFILE",
		Short:   "Checks policy files against a profile's entities",
		Example: "  crmgate policy check policy.csv --profile tryton",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return checkPolicy(cmd, args, profileName) },
	}
	test := &cobra.Command{
		Use:   "test DIR --profile PROFILE",
		Short: "Runs the tests (NAME_test.yaml) beside the policies (NAME.csv) of a directory",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return testPolicies(cmd, args[0], profileName, asJSON) },
	}
	jsonFlag(test, &asJSON)
	for _, c := range []*cobra.Command{check, test} {
		c.Flags().StringVar(&profileName, "profile", "", "The profile: a name that ships, or a file. Required for `check`; tests default to the policy's own name")
	}
	_ = check.MarkFlagRequired("profile") // the flag exists
	group(cmd, check, test)
}

// loadPolicies loads policies against entities and the model that ships.
func loadPolicies(files []policy.File, entities []access.Entity) (*policy.Snapshot, error) {
	model, err := policies.Files.ReadFile("model.conf")
	if err != nil {
		return nil, fmt.Errorf("reading the policy model: %w", err)
	}
	return policy.Load(files, model, policy.Vocabulary{Entities: entities})
}

func checkPolicy(cmd *cobra.Command, names []string, profileName string) error {
	p, err := loadProfile(profileName)
	if err != nil {
		return err
	}
	files := make([]policy.File, 0, len(names))
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the policy: %w", err)
		}
		files = append(files, policy.File{Name: name, Bytes: raw})
	}
	s, err := loadPolicies(files, p.Entities())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: good, version %s\n", strings.Join(names, ", "), s.Version())
	return err
}

const testSuffix = "_test.yaml"

func testPolicies(cmd *cobra.Command, dir, profileName string, asJSON bool) error {
	tests, err := filepath.Glob(filepath.Join(dir, "*"+testSuffix))
	if err != nil {
		return fmt.Errorf("looking for tests: %w", err)
	}
	if len(tests) == 0 {
		return fmt.Errorf("there is no test in %s: write NAME%s beside NAME.csv", dir, testSuffix)
	}
	failed := 0
	for _, test := range tests {
		results, err := testPolicy(test, profileName)
		if err != nil {
			return err
		}
		n, err := printResults(cmd, test, results, asJSON)
		if err != nil {
			return err
		}
		failed += n
	}
	if failed > 0 {
		return fmt.Errorf("%d cases fail", failed)
	}
	return nil
}

// testPolicy runs one file of tests against the policy beside it.
func testPolicy(test, profileName string) ([]policy.Result, error) {
	base := strings.TrimSuffix(test, testSuffix)
	if profileName == "" {
		profileName = filepath.Base(base)
	}
	p, err := loadProfile(profileName)
	if err != nil {
		return nil, fmt.Errorf("%w; name the profile by --profile", err)
	}
	raw, err := os.ReadFile(base + ".csv")
	if err != nil {
		return nil, fmt.Errorf("reading the policy of %s: %w", test, err)
	}
	cases, err := os.ReadFile(test)
	if err != nil {
		return nil, fmt.Errorf("reading the tests: %w", err)
	}
	s, err := loadPolicies([]policy.File{{Name: filepath.Base(base) + ".csv", Bytes: raw}}, p.Entities())
	if err != nil {
		return nil, err
	}
	return s.RunTests(policy.File{Name: test, Bytes: cases})
}

// printResults prints the cases that fail, or all of them as JSON, and returns
// how many fail.
func printResults(cmd *cobra.Command, test string, results []policy.Result, asJSON bool) (int, error) {
	failed, w := 0, cmd.OutOrStdout()
	var errs []error
	for _, r := range results {
		if !r.OK {
			failed++
		}
		switch {
		case asJSON:
			errs = append(errs, printJSON(w, r))
		case r.OK:
		case r.WantLine != "":
			_, err := fmt.Fprintf(w, "%s: %s: got %s by %s, want %s by %s\n", r.Where, r.Ask, r.Got, r.Line, r.Want, r.WantLine)
			errs = append(errs, err)
		default:
			_, err := fmt.Fprintf(w, "%s: %s: got %s by %s, want %s\n", r.Where, r.Ask, r.Got, r.Line, r.Want)
			errs = append(errs, err)
		}
	}
	if !asJSON {
		_, err := fmt.Fprintf(w, "%s: %d cases, %d fail\n", test, len(results), failed)
		errs = append(errs, err)
	}
	return failed, errors.Join(errs...)
}
