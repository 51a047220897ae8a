package gate_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// maskedPaths are routes whose answers are held and streamed.
func maskedPaths() map[string]string {
	return map[string]string{"held": "/api/contacts/1", "streamed": streamPath}
}

// record writes a contact the way the route's answers look.
func record(w http.ResponseWriter, path string) {
	w.Header().Set("Content-Type", "application/json")
	body := row(1)
	if path == streamPath {
		body = "[" + body + "]"
	}
	_, _ = io.WriteString(w, body) // the gate takes it all
}

// Each of these would be a way for bytes to reach the client unmasked.
func TestWriterHasNoWayAroundTheMask(t *testing.T) {
	t.Parallel()
	for name, path := range maskedPaths() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := false
			sc := newProbe(t, func(w http.ResponseWriter, r *http.Request) error {
				ran = true
				if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
					t.Error("Unwrap hands out the client's writer")
				}
				if _, ok := w.(io.ReaderFrom); ok {
					t.Error("ReadFrom copies past Write")
				}
				if _, ok := w.(http.Hijacker); ok {
					t.Error("Hijack hands out the connection")
				}
				if _, ok := w.(http.Pusher); ok {
					t.Error("Push answers another request")
				}
				if _, ok := w.(io.StringWriter); ok {
					t.Error("WriteString goes past Write")
				}
				if _, ok := w.(http.CloseNotifier); ok { //nolint:staticcheck // old code looks for it
					t.Error("CloseNotify is the client's")
				}
				if _, ok := w.(interface {
					Hijack() (net.Conn, *bufio.ReadWriter, error)
				}); ok {
					t.Error("Hijack by another interface")
				}
				out := http.NewResponseController(w)
				if _, _, err := out.Hijack(); !errors.Is(err, http.ErrNotSupported) {
					t.Errorf("Hijack by the controller: %v", err)
				}
				for what, err := range map[string]error{
					"full duplex": out.EnableFullDuplex(), "read deadline": out.SetReadDeadline(time.Time{}), "write deadline": out.SetWriteDeadline(time.Time{}),
				} {
					if !errors.Is(err, http.ErrNotSupported) {
						t.Errorf("%s by the controller: %v", what, err)
					}
				}
				record(w, path)
				if err := out.Flush(); err != nil {
					t.Errorf("Flush: %v", err)
				}
				return nil
			})
			r := env.probed.signedInProbe(t, "sven").get(t, path, sc).want(t, http.StatusOK)
			if !ran || !strings.Contains(string(r.body), "m1") && !strings.Contains(string(r.body), "Muster1") {
				t.Errorf("got %s", r)
			}
			r.hides(t)
			r.logged(t).last(t)
		})
	}
}

func TestWriterKeepsTheFirstFinalStatus(t *testing.T) {
	t.Parallel()
	for name, path := range maskedPaths() {
		b := env.probed.signedInProbe(t, "sven")
		r := b.get(t, path, newProbe(t, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Link", "</"+canary+">")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusContinue)
			w.WriteHeader(http.StatusSwitchingProtocols)
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
			record(w, path)
			w.WriteHeader(http.StatusInternalServerError)
			w.Header().Set("Content-Language", canary)
			return nil
		})).want(t, http.StatusAccepted)
		r.hides(t)
		if name == "streamed" && r.header.Get("Content-Language") != "" {
			t.Error("a header came in after the first release")
		}
		// Without a status it is 200.
		b.get(t, path, newProbe(t, func(w http.ResponseWriter, _ *http.Request) error {
			record(w, path)
			return nil
		})).want(t, http.StatusOK).hides(t)
		// Without anything there was no answer.
		r = b.get(t, path, newProbe(t, func(http.ResponseWriter, *http.Request) error { return nil })).want(t, http.StatusBadGateway)
		r.logged(t).faulted(t, "crm")
	}
}

// Flushing what is held doesn't let it go.
func TestFlushReleasesNothingHeld(t *testing.T) {
	t.Parallel()
	sc := newProbe(t, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		for _, piece := range []string{`{"id":1,"iban":"`, canary[:8], canary[8:], `"`, `,}`} {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
		return nil
	})
	r := env.probed.signedInProbe(t, "sven").get(t, "/api/contacts/1", sc).want(t, http.StatusBadGateway)
	r.hides(t)
}

func errorsAndPanicsBehindTheGateAreItsOwnAnswers(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error":         func() error { return errors.New("dialling " + canary) },
		"panic":         func() error { panic("reading " + canary) },
		"abort":         func() error { panic(http.ErrAbortHandler) },
		"wrapped abort": func() error { panic(errors.Join(errors.New(canary), http.ErrAbortHandler)) },
		"a slip":        func() error { return []error{}[len(canary)] },
	} {
		for kind, path := range maskedPaths() {
			for _, written := range []bool{false, true} {
				b := env.probed.signedInProbe(t, "sven")
				r, err := b.try(ask{path: path, scene: newProbe(t, func(w http.ResponseWriter, _ *http.Request) error {
					if written {
						record(w, path)
					}
					return fail()
				})})
				if kind == "streamed" && written {
					// Cut: the first record had left.
					if err == nil && r.cut == nil {
						t.Errorf("%s: the client takes %s for whole", name, r)
					}
					continue
				}
				if err != nil || r.status != http.StatusBadGateway {
					t.Errorf("%s, %s: got %v, %v", name, kind, r, err)
					continue
				}
				r.hides(t)
				r.logged(t).faulted(t, "crm")
			}
		}
		// The same without personal data.
		r, err := env.probed.signedInProbe(t, "sven").try(ask{path: "/static/app.css", scene: newProbe(t, func(http.ResponseWriter, *http.Request) error { return fail() })})
		if err != nil || r.status != http.StatusBadGateway {
			t.Errorf("%s on a passed route: got %v, %v", name, r, err)
		}
	}
}

// What passes unmasked passes without a way to more, and without our cookies.
func TestPassingWriterHandsNothingOn(t *testing.T) {
	t.Parallel()
	ran := false
	sc := newProbe(t, func(w http.ResponseWriter, _ *http.Request) error {
		ran = true
		if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
			t.Error("Unwrap hands out the client's writer")
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: %v", err)
		}
		w.Header()["Set-Cookie"] = []string{"crmgate=stolen", "ok=1"}
		w.Header().Set("Content-Type", "text/css")
		w.WriteHeader(http.StatusEarlyHints)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "body{}")
		return nil
	})
	r := env.probed.signedInProbe(t, "sven").get(t, "/static/app.css", sc).want(t, http.StatusOK)
	if got := strings.Join(r.header.Values("Set-Cookie"), "\n"); !ran || got != "ok=1" || string(r.body) != "body{}" {
		t.Errorf("cookies %q, body %q", got, r.body)
	}
}
