package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// applyJSON changes a record by a JSON object. A full write sets what the object
// doesn't name to its default, a partial one leaves it; null is the default.
// Fields that the server alone sets may stand there and are passed over.
func applyJSON(sc *schema, r Record, body []byte, full bool) *problem {
	var given map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&given); err != nil || given == nil {
		return &problem{status: 400, text: "the body is not a JSON object"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &problem{status: 400, text: "the body is more than one JSON object"}
	}
	for name := range given {
		if _, ok := sc.field(name); !ok && (sc.name != "lead" || name != "contact") {
			return refused(name, "%s has no field '%s'", sc.name, name)
		}
	}
	defaults := sc.empty()
	for _, f := range sc.fields {
		v, ok := given[f.name]
		switch {
		case f.fixed() || !ok && !full:
			continue
		case v == nil:
			r[f.name] = defaults[f.name]
			continue
		}
		if p := set(f, r, v); p != nil {
			return p
		}
	}
	return nil
}

func set(f field, r Record, v any) *problem {
	good := false
	switch f.kind {
	case kindFlag:
		_, good = v.(bool)
	case kindNumber:
		_, good = v.(float64)
	case kindRef:
		var n float64
		if n, good = v.(float64); good && n == float64(int(n)) {
			v = int(n)
		} else {
			good = false
		}
	default:
		_, good = v.(string)
	}
	if !good {
		return refused(f.name, "%s '%v' is not valid", f.en, v)
	}
	r[f.name] = v
	return nil
}

// applyForm changes a record by the form of its page: always a full write. A
// field that the form lacks is empty, a box that isn't ticked is false.
func applyForm(sc *schema, r Record, form url.Values) *problem {
	for _, f := range sc.fields {
		if f.fixed() {
			continue
		}
		// Browsers send lines of a textarea with CR LF.
		v := strings.ReplaceAll(strings.TrimSpace(form.Get(f.name)), "\r\n", "\n")
		switch f.kind {
		case kindFlag:
			r[f.name] = v != "" && v != "0"
		case kindNumber:
			n, err := strconv.ParseFloat(v, 64)
			if v != "" && (err != nil || math.IsNaN(n) || math.IsInf(n, 0)) {
				return refused(f.name, "%s '%s' is not a number", f.en, v)
			}
			r[f.name] = n
		case kindRef:
			n, err := strconv.Atoi(v)
			if v != "" && err != nil {
				return refused(f.name, "%s '%s' is not a number", f.en, v)
			}
			r[f.name] = any(nil)
			if n != 0 {
				r[f.name] = n
			}
		default:
			r[f.name] = v
		}
	}
	return nil
}
