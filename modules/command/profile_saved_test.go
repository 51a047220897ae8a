package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
)

const documents = "../../internal/profile/metadata/testdata/"

func TestProfileIsDraftedFromWhatAServiceOfODataSays(t *testing.T) {
	out, err := ran(profileDraftCommand(), documents+"bookshop.xml", "--path", "/odata/v4/catalog", "--name", "catalog/1")
	if err != nil || !strings.Contains(out, `"GET /odata/v4/catalog/{resource**}"`) || !strings.Contains(out, `profile: "catalog/1"`) {
		t.Errorf("%v\n%s", err, out)
	}
	other := written(t, "x.xml", "<html/>")
	if _, err := ran(profileDraftCommand(), other); err == nil || !strings.Contains(err.Error(), "$metadata") || !strings.Contains(err.Error(), other) {
		t.Errorf("a page: %v", err)
	}
}

func TestProfileIsDraftedFromWhatACRMSays(t *testing.T) {
	out, err := ran(profileDraftCommand(), documents+"espocrm/Metadata.json", "--name", "acme/9")
	for _, want := range []string{`profile: "acme/9"`, "extends: espocrm", "cBlutgruppe: special # enum; by its name"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: %q is missing in\n%s", err, want, out)
		}
	}
	two, err := ran(profileDraftCommand(), documents+"salesforce/Contact.json", documents+"salesforce/Pet__c.json", documents+"salesforce/FieldDefinition.json")
	if err != nil || !strings.Contains(two, "types: [Pet__c]") || !strings.Contains(two, "ComplianceGroup") {
		t.Errorf("%v\n%s", err, two)
	}
	dir := t.TempDir()
	for _, name := range []string{"contacts.json", "schemas.json"} {
		src, err := os.ReadFile(documents + "hubspot/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = ran(profileDraftCommand(), dir)
	if err != nil || !strings.Contains(out, "patient_number: special") || !strings.Contains(out, "p8812345_pets") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOtherSourcesOfADraftAreRefusedByName(t *testing.T) {
	empty := t.TempDir()
	har := written(t, "mycrm.har", recordedHAR)
	stranger := t.TempDir()
	if err := os.WriteFile(filepath.Join(stranger, "stranger.json"), []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"has neither a manifest.json nor documents":     {empty},
		"stranger.json: nobody knows this document":     {stranger},
		"several files are for those":                   {documents + "espocrm/Metadata.json", har},
		"leave --path out":                              {har, "--path", "/x"},
		"a path is for a service of OData":              {documents + "espocrm/Metadata.json", "--path", "/x"},
		"and a document before it of another CRM":       {documents + "espocrm/Metadata.json", documents + "twenty/objects.json"},
		"compared with a profile, or with what it said": nil,
	} {
		cmd := profileDraftCommand()
		if args == nil {
			cmd, args = profileDiffCommand(), []string{documents + "espocrm/Metadata.json", har}
		}
		if _, err := ran(cmd, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
}

func TestWhatACRMSaysIsCompared(t *testing.T) {
	older := documents + "espocrm/Metadata.json"
	src, err := os.ReadFile(older)
	if err != nil {
		t.Fatal(err)
	}
	newer := written(t, "Metadata.json", strings.Replace(string(src), `"cSchuhgroesse": {"type": "int"`, `"cHut": {"type": "email", "isCustom": true}, "cSchuhgroesse": {"type": "float"`, 1))
	out, err := ran(profileDiffCommand(), older, newer)
	for _, want := range []string{"field Contact.cHut: not described → email\n", "field Contact.cSchuhgroesse: int → float\n"} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %q is missing in\n%s", err, want, out)
		}
	}
	draft, err := ran(profileDraftCommand(), older)
	if err != nil {
		t.Fatal(err)
	}
	own := written(t, "acme.yaml", draft)
	if out, err := ran(profileDiffCommand(), own, older); err != nil || out != "nothing differs\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = ran(profileDiffCommand(), own, newer); err == nil || !strings.Contains(out, "field contact.cHut: not described → email\n") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = ran(profileDiffCommand(), newer, own, "--json")
	var got struct{ Differences []profile.Difference }
	if err == nil || json.Unmarshal([]byte(out), &got) != nil || len(got.Differences) != 4 || got.Differences[0] != (profile.Difference{Kind: "field", Name: "contact.cHut", Old: "email"}) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The example of a service of OData is what the commands on its pages make of it.
func TestExampleOfAServiceIsDrawnAsItStands(t *testing.T) {
	const folder = "../../caddyfiles/odata/"
	out, err := ran(profileDraftCommand(), folder+"metadata.xml", "--path", "/odata/v4/customer", "--name", "customer/1")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(folder + "service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("caddyfiles/odata/service.yaml differs from what is drawn:\n%s", out)
	}
	p, err := loadProfile(folder + "service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(folder + "policy.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadPolicies([]policy.File{{Name: "policy.csv", Bytes: raw}}, p.Entities()); err != nil {
		t.Error(err)
	}
}
