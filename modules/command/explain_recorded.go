package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/trial"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// recorded is a recorded exchange, whatever it was recorded in.
type recorded struct {
	name, method, url string
	header            http.Header
	body              []byte
	answered          bool
	status            int
	answer            http.Header
	answerBody        []byte
}

// recordedExchanges reads FILE[#WHICH].
func recordedExchanges(source string) ([]*recorded, error) {
	file, which, _ := strings.Cut(source, "#")
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading the exchange: %w", err)
	}
	if info.IsDir() {
		file = filepath.Join(file, trial.ManifestName)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the exchange: %w", err)
	}
	var probe struct {
		Log   json.RawMessage `json:"log"`
		Cases json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return nil, fmt.Errorf("%s is neither a HAR file nor a manifest of cases: %w", file, err)
	}
	switch {
	case probe.Log != nil:
		return harExchanges(file, raw, which)
	case probe.Cases != nil:
		return fixtureExchanges(file, raw, which)
	}
	return nil, fmt.Errorf("%s is neither a HAR file (log) nor a manifest of cases (cases)", file)
}

func (r *recorded) host() string {
	u, err := url.Parse(r.url)
	if err != nil {
		return ""
	}
	return u.Host
}

// exchange makes it one that a gate can judge: the request as a server gets it,
// the answer without the coding that the recording took off.
func (r *recorded) exchange() (crmgate.Exchange, error) {
	u, err := url.Parse(r.url)
	if err != nil || u.Host == "" {
		return crmgate.Exchange{}, errors.New("its address is no URL with a host")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	req := &http.Request{
		Method: r.method, URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery},
		Host: u.Host, RequestURI: u.RequestURI(), Header: r.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"} {
		req.Header.Del(name)
	}
	x := crmgate.Exchange{Request: req}
	if !r.answered {
		return x, nil
	}
	x.Response = &http.Response{StatusCode: r.status, Header: r.answer.Clone(), Body: io.NopCloser(bytes.NewReader(r.answerBody))}
	for _, name := range []string{"Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection"} {
		x.Response.Header.Del(name)
	}
	return x, nil
}
