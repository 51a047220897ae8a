package profile

// consentSpec says what the values of a field tell of a record's consents: an opt-out
// flag, a box for the newsletter. Where the site keeps a ledger of consents, a write that
// changes such a field is an entry and, by the ledger's rules, a change there; and a record
// that says it has opted out has no consent, whatever the ledger says.
type consentSpec struct {
	// Purpose is what the field is about, as policies call it: `newsletter`. Default:
	// every purpose, which no value can be a consent to.
	Purpose string `yaml:"purpose"`
	// Channel is the way that the field is about: `email`, `phone`, `post`, `messenger`.
	// Default: every one.
	Channel string `yaml:"channel"`
	// Means maps the field's values to what they say: `withdrawn` (opted out, objected),
	// `granted`, or `open` (neither): `{"true": withdrawn, "false": open}`. `"*"` is any
	// other; one that isn't listed says nothing. No value is `""`.
	Means map[string]string `yaml:"means"`
}

// contactSpec says whom a request makes the CRM write to or call.
type contactSpec struct {
	// Entity is the type of the people: a policy allows `contact` of it.
	Entity string `yaml:"entity"`
	// IDs are expressions for the records that are addressed. Each is judged by what is
	// stored of it.
	IDs []string `yaml:"ids"`
	// To are expressions for the addresses or numbers that the request names, one or a
	// list of them, or texts with commas or semicolons between them. Each is judged by
	// itself; what isn't understood has nobody's consent.
	To []string `yaml:"to"`
	// Phone says that To are numbers. Default: e-mail addresses.
	Phone bool `yaml:"phone"`
	// Stored is the gateway's own request for the records that are addressed. Without it
	// they are known by their ids alone.
	Stored storedSpec `yaml:"stored"`
}
