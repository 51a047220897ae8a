package crm

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// kind is what a field holds, and so how it is typed, shown and checked.
type kind string

const (
	kindID     kind = "id"
	kindText   kind = "text"
	kindEmail  kind = "email"
	kindPhone  kind = "phone"
	kindDate   kind = "date"
	kindIBAN   kind = "iban"
	kindTaxID  kind = "tax_id"
	kindFlag   kind = "flag"
	kindNumber kind = "number"
	kindLong   kind = "long"
	kindChoice kind = "choice"
	kindRef    kind = "ref"
	kindStamp  kind = "stamp"
)

// field is one field of an entity. Labels are for people, names for machines.
type field struct {
	name   string
	kind   kind
	de, en string
	// choices of a kindChoice.
	choices []string
}

// fixed reports whether the server alone sets the field.
func (f field) fixed() bool { return f.kind == kindID || f.kind == kindStamp }

// schema is an entity of the CRM.
type schema struct {
	name, plural string
	de, en       string
	fields       []field
	// required names the one field that a record can't be without.
	required string
	// searched are the fields that `q` looks into.
	searched []string
}

func (s *schema) field(name string) (field, bool) {
	i := slices.IndexFunc(s.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return s.fields[i], true
}

func contactSchema() *schema {
	return &schema{
		name: "contact", plural: "contacts", de: "Kontakte", en: "Contacts", required: "last_name",
		searched: []string{
			"first_name", "last_name", "company", "email", "phone", "mobile", "city", "notes",
		},
		fields: []field{
			{name: "id", kind: kindID, de: "Nr.", en: "No."},
			{name: "salutation", kind: kindChoice, de: "Anrede", en: "Salutation", choices: []string{"", "Frau", "Herr", "Mx."}},
			{name: "first_name", kind: kindText, de: "Vorname", en: "First name"},
			{name: "last_name", kind: kindText, de: "Nachname", en: "Last name"},
			{name: "company", kind: kindText, de: "Firma", en: "Company"},
			{name: "position", kind: kindText, de: "Position", en: "Position"},
			{name: "email", kind: kindEmail, de: "E-Mail", en: "E-mail"},
			{name: "phone", kind: kindPhone, de: "Telefon", en: "Phone"},
			{name: "mobile", kind: kindPhone, de: "Mobil", en: "Mobile"},
			{name: "street", kind: kindText, de: "Straße", en: "Street"},
			{name: "postal_code", kind: kindText, de: "PLZ", en: "Postal code"},
			{name: "city", kind: kindText, de: "Ort", en: "City"},
			{name: "country", kind: kindText, de: "Land", en: "Country"},
			{name: "birth_date", kind: kindDate, de: "Geburtsdatum", en: "Date of birth"},
			{name: "iban", kind: kindIBAN, de: "IBAN", en: "IBAN"},
			{name: "tax_id", kind: kindTaxID, de: "Steuer-ID", en: "Tax ID"},
			{name: "newsletter", kind: kindFlag, de: "Newsletter", en: "Newsletter"},
			{name: "credit_limit", kind: kindNumber, de: "Kreditlimit", en: "Credit limit"},
			{name: "owner", kind: kindText, de: "Betreuer", en: "Owner"},
			{name: "notes", kind: kindLong, de: "Notizen", en: "Notes"},
			{name: "created_at", kind: kindStamp, de: "Angelegt am", en: "Created"},
			{name: "updated_at", kind: kindStamp, de: "Geändert am", en: "Changed"},
		},
	}
}

func leadSchema() *schema {
	return &schema{
		name: "lead", plural: "leads", de: "Leads", en: "Leads", required: "contact_name",
		searched: []string{"contact_name", "company", "email", "phone", "description"},
		fields: []field{
			{name: "id", kind: kindID, de: "Nr.", en: "No."},
			{name: "contact_name", kind: kindText, de: "Ansprechpartner", en: "Contact person"},
			{name: "company", kind: kindText, de: "Firma", en: "Company"},
			{name: "email", kind: kindEmail, de: "E-Mail", en: "E-mail"},
			{name: "phone", kind: kindPhone, de: "Telefon", en: "Phone"},
			{name: "status", kind: kindChoice, de: "Status", en: "Status", choices: statuses()},
			{name: "value", kind: kindNumber, de: "Wert", en: "Value"},
			{name: "source", kind: kindText, de: "Quelle", en: "Source"},
			{name: "owner", kind: kindText, de: "Betreuer", en: "Owner"},
			{name: "description", kind: kindLong, de: "Beschreibung", en: "Description"},
			{name: "contact_id", kind: kindRef, de: "Kontakt-Nr.", en: "Contact no."},
			{name: "created_at", kind: kindStamp, de: "Angelegt am", en: "Created"},
			{name: "updated_at", kind: kindStamp, de: "Geändert am", en: "Changed"},
		},
	}
}

func statuses() []string { return []string{"new", "contacted", "qualified", "won", "lost"} }

// Record is one record: field name to string, float64 (numbers), bool, int (id,
// contact_id) or nil (contact_id).
type Record map[string]any

func (r Record) text(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r Record) id() int {
	id, _ := r["id"].(int)
	return id
}

// ref returns contact_id, or 0.
func (r Record) ref() int {
	id, _ := r["contact_id"].(int)
	return id
}

// name is what people call the record.
func (r Record) name() string {
	if n, ok := r["contact_name"].(string); ok {
		return n
	}
	return strings.TrimSpace(r.text("first_name") + " " + r.text("last_name"))
}

func (r Record) clone() Record { return maps.Clone(r) }

// empty returns a record with every field at its default.
func (s *schema) empty() Record {
	r := make(Record, len(s.fields))
	for _, f := range s.fields {
		switch f.kind {
		case kindID:
			r[f.name] = 0
		case kindFlag:
			r[f.name] = false
		case kindNumber:
			r[f.name] = 0.0
		case kindRef:
			r[f.name] = nil
		case kindChoice:
			r[f.name] = f.choices[0]
		default:
			r[f.name] = ""
		}
	}
	return r
}

// style is how a JSON writer escapes.
type style uint8

const (
	// styleWeb writes UTF-8, and \u003c for what is special in HTML.
	styleWeb style = iota
	// styleASCII writes as PHP's json_encode does: \u00fc, \/ and surrogates.
	styleASCII
)

// member is one member of an object to be written.
type member struct {
	name  string
	value any
}

// members lists a record's fields in the order of the schema; nil is all.
func (s *schema) members(r Record, only []string) []member {
	var m []member
	for _, f := range s.fields {
		if only == nil || slices.Contains(only, f.name) {
			m = append(m, member{f.name, r[f.name]})
		}
	}
	return m
}

func appendObject(dst []byte, m []member, st style) []byte {
	dst = append(dst, '{')
	for i, x := range m {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, x.name, st), ':')
		dst = appendValue(dst, x.value, st)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, v any, st style) []byte {
	switch v := v.(type) {
	case string:
		return appendString(dst, v, st)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	case []member:
		return appendObject(dst, v, st)
	}
	return append(dst, "null"...)
}

func appendString(dst []byte, s string, st style) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(st == styleWeb)
	_ = e.Encode(s) // a string always encodes
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if st == styleWeb {
		return append(dst, text...)
	}
	for _, r := range string(text) {
		switch {
		case r == '/':
			dst = append(dst, `\/`...)
		case r < 0x80:
			dst = append(dst, byte(r))
		case r < 0x10000:
			dst = appendUnit(dst, uint16(r))
		default:
			high, low := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, uint16(high)), uint16(low))
		}
	}
	return dst
}

func appendUnit(dst []byte, u uint16) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
