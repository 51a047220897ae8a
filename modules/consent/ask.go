package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// longestForm is the longest form in bytes.
const longestForm = 8 << 10

// asked is what a form sends, as JSON or as a form's fields of the same names. Any other
// field is refused: whoever made the form would think that it is kept.
type asked struct {
	Email string `json:"email"`
	// Consent are the texts that were ticked, each purpose:channel:version.
	Consent  []string `json:"consent"`
	Language string   `json:"language"`
	// Form is the address of the page with the form.
	Form string `json:"form"`
}

var errForm = errors.New("no form")

// ask takes a form. Whoever sends one gets the same answer, whatever is known of the
// address.
func (c *Consent) ask(v crmgate.Stranger) {
	in, ok := c.read(v)
	if !ok {
		return
	}
	a := consent.Ask{Email: in.Email, Language: in.Language}
	err := errForm
	if a.Form, ok = c.form(v, in.Form); ok {
		if a.Texts, ok = texts(in.Consent); ok {
			err = c.ledger.Ask(v.Request().Context(), a)
		}
	}
	c.taken(v, err, c.showForm)
}

// stop has a link sent by which somebody sees and ends their consents.
func (c *Consent) stop(v crmgate.Stranger) {
	in, ok := c.read(v)
	if !ok {
		return
	}
	err := errForm
	if len(in.Consent) == 0 {
		err = c.ledger.AskToStop(v.Request().Context(), in.Email, in.Language)
	}
	c.taken(v, err, c.showStop)
}

// read reads a form of whoever may send one, if there weren't too many.
func (c *Consent) read(v crmgate.Stranger) (in asked, ok bool) {
	if !c.mayAsk(v) {
		v.Answer(http.StatusForbidden, "origin", "Von dieser Seite werden keine Formulare angenommen.", "No forms are taken from this page.", c.cors(v))
		return in, false
	}
	if wait := c.limits.take(v.IP(), time.Now()); wait > 0 {
		h := c.cors(v)
		h["Retry-After"] = strconv.Itoa(int(math.Ceil(wait.Seconds())))
		v.Answer(http.StatusTooManyRequests, "limit", "Es kamen gerade zu viele Formulare. Bitte versuchen Sie es später noch einmal.", "Too many forms came just now. Please try again later.", h)
		return in, false
	}
	body, media, ok := v.Body(longestForm)
	if !ok {
		return in, false
	}
	var err error
	switch media {
	case "application/json":
		err = readJSON(body, &in)
	case "application/x-www-form-urlencoded":
		err = readFields(body, &in)
	default:
		v.Answer(http.StatusUnsupportedMediaType, "type", "Formulare kommen als application/x-www-form-urlencoded oder application/json.", "Forms come as application/x-www-form-urlencoded or application/json.", c.cors(v))
		return in, false
	}
	if err != nil {
		v.Answer(http.StatusBadRequest, "form", "Das Formular hat Felder, die hier niemand liest, oder eines doppelt. Es gibt email, consent, language und form.", "The form has fields that nobody reads here, or one twice. There are email, consent, language and form.", c.cors(v))
		return in, false
	}
	if in.Language == "" {
		in.Language = v.Lang()
	}
	return in, true
}

func readJSON(body []byte, into *asked) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errForm
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errForm
	}
	return nil
}

func readFields(body []byte, into *asked) error {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return errForm
	}
	for name, values := range fields {
		if name == "consent" {
			into.Consent = values
			continue
		}
		at, ok := map[string]*string{"email": &into.Email, "language": &into.Language, "form": &into.Form}[name]
		if !ok || len(values) != 1 {
			return errForm
		}
		*at = values[0]
	}
	return nil
}

// texts reads which texts were ticked.
func texts(ids []string) ([]consent.Shown, bool) {
	var all []consent.Shown
	for _, id := range ids {
		parts := strings.Split(id, ":")
		if len(parts) != 3 || len(all) == consent.MostTexts {
			return nil, false
		}
		all = append(all, consent.Shown{Purpose: parts[0], Channel: parts[1], Version: parts[2]})
	}
	return all, true
}

// form is the page on which the form was, for the proof: without what stands behind ? or
// #, which may be about the person. It is of an origin that may ask, and of the one that
// the browser says.
func (c *Consent) form(v crmgate.Stranger, said string) (string, bool) {
	from := v.Request().Header.Get("Origin")
	if from != "" && !slices.Contains(c.Origins, from) || from == "" && v.Request().Header.Get("Sec-Fetch-Site") == "same-origin" {
		return c.Base + consent.Path, true // our own page
	}
	if said == "" {
		return from, true
	}
	u, err := url.Parse(said)
	if err != nil || u.User != nil {
		return "", false
	}
	of := u.Scheme + "://" + u.Host
	if from != "" && of != from || from == "" && of != c.Base && !slices.Contains(c.Origins, of) {
		return "", false
	}
	return of + u.EscapedPath(), true
}

// taken answers a form.
func (c *Consent) taken(v crmgate.Stranger, err error, again func(crmgate.Stranger, int, page.Text)) {
	switch {
	case errors.Is(err, consent.ErrAsk), errors.Is(err, errForm):
		if v.Navigates() {
			again(v, http.StatusBadRequest, page.Text{
				DE: "Bitte geben Sie eine E-Mail-Adresse an und wählen Sie aus, worum es geht.",
				EN: "Please give an e-mail address, and choose what it is about.",
			})
			return
		}
		v.Answer(http.StatusBadRequest, "form", "Die E-Mail-Adresse, die Sprache, die Seite oder ein Text (Zweck:Kanal:Fassung) fehlt oder kann nicht stimmen.",
			"The e-mail address, the language, the page or a text (purpose:channel:version) is missing or can't be right.", c.cors(v))
	case err != nil:
		v.Failed("consent", err)
	case v.Navigates():
		c.show(v, http.StatusAccepted, page.Consent{
			Kind: "wait", Title: page.Text{DE: "Bitte sehen Sie in Ihr Postfach", EN: "Please look into your mailbox"},
			Text: page.Text{
				DE: "Wenn die Adresse stimmt, kommt gleich eine Mail mit einem Link. Sehen Sie auch im Ordner für unerwünschte Mails nach.",
				EN: "If the address is right, a mail with a link comes in a moment. Look into the folder for unwanted mails, too.",
			},
		})
	default:
		h := c.cors(v)
		h["Content-Type"] = "application/json"
		v.Write(http.StatusAccepted, h, []byte(`{"status":"accepted"}`))
	}
}
