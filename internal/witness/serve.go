package witness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
)

var latestPath = regexp.MustCompile(`^/([0-9a-f]{64})/checkpoint$`)

// Handler serves the protocol: POST /add-checkpoint, and for those who watch the log
// GET /ORIGIN-HASH/checkpoint. told hears of each refusal, and of each fault of the
// witness's own as such; it may be nil.
func (w *Witness) Handler(told func(origin string, fault bool, err error)) http.Handler {
	if told == nil {
		told = func(string, bool, error) {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) { w.serveAdd(rw, r, told) })
	mux.HandleFunc("GET /", func(rw http.ResponseWriter, r *http.Request) {
		m := latestPath.FindStringSubmatch(r.URL.Path)
		if m == nil {
			http.NotFound(rw, r)
			return
		}
		msg, ok := w.latest(m[1])
		if !ok {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Header().Set("Cache-Control", "no-store")
		_, _ = rw.Write(msg)
	})
	return mux
}

func (w *Witness) serveAdd(rw http.ResponseWriter, r *http.Request, told func(string, bool, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		http.Error(rw, "the request is too long, or broke off", http.StatusBadRequest)
		return
	}
	asked, err := parseRequest(body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	line, err := w.add(asked)
	if err == nil {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write(line)
		return
	}
	if c, ok := errors.AsType[conflict](err); ok {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(rw, "%d\n", c.size)
		return
	}
	status := status(err)
	fault := status == http.StatusInternalServerError
	told(firstLine(asked.checkpoint), fault, err)
	text := err.Error()
	if fault { // a path of this machine's disk is nobody else's matter
		text = "the witness can't keep its state"
	}
	http.Error(rw, text, status)
}

func status(err error) int {
	switch {
	case errors.Is(err, errUnknown):
		return http.StatusNotFound
	case errors.Is(err, errUnsigned):
		return http.StatusForbidden
	case errors.Is(err, errMalformed), errors.Is(err, errAhead):
		return http.StatusBadRequest
	case errors.Is(err, errInconsistent):
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// firstLine is the origin that a checkpoint names, cut where it is long.
func firstLine(msg []byte) string {
	for i, b := range msg {
		if b == '\n' || i == 200 {
			return string(msg[:i])
		}
	}
	return string(msg)
}
