package observed

import (
	"mime"
	"net/url"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// Recorded is an exchange as it was recorded: with bodies of bytes, without codings.
type Recorded struct {
	Method string
	// URL is the address with its query.
	URL *url.URL
	// RequestType and Type are the headers Content-Type; bodies of other types than
	// JSON, and of the request form, aren't looked at.
	RequestType string
	Request     []byte
	Status      int
	Type        string
	Answer      []byte
}

// AddRecorded notes a recorded exchange. What isn't strict JSON is noted without
// its body.
func (c *Collector) AddRecorded(r *Recorded) {
	e := Exchange{Method: r.Method, Path: r.URL.Path, Status: r.Status}
	if e.Path == "" {
		e.Path = "/"
	}
	for pair := range strings.FieldsFuncSeq(r.URL.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name != "" {
			e.Query = append(e.Query, name)
		}
	}
	e.RequestMedia, e.Request = body(r.RequestType, r.Request, true)
	e.Media, e.Answer = body(r.Type, r.Answer, false)
	c.Add(e)
}

// body reads a body by its type.
func body(contentType string, src []byte, forms bool) (media string, t *doc.Tree) {
	if len(src) == 0 && contentType == "" {
		return "", nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = ""
	}
	switch {
	case len(src) == 0:
		return media, nil
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		t, err = json.Parse(src, doc.DefaultLimits())
	case forms && media == "application/x-www-form-urlencoded":
		t, err = form.Parse(src, doc.DefaultLimits())
	case forms && media == "multipart/form-data":
		t, err = form.ParseMultipart(src, params["boundary"], doc.DefaultLimits())
	default:
		return media, nil
	}
	if err != nil {
		return media, nil
	}
	return media, t
}
