package command

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// benchCRM is the CRM behind all variants.
type benchCRM struct {
	server *http.Server
	addr   string
}

func startBenchCRM(plan *benchPlan) (*benchCRM, error) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listening for the CRM: %w", err)
	}
	mux := http.NewServeMux()
	for _, b := range plan.bodies {
		answer := func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{b.media}
			if !b.streams() {
				w.Header()["Content-Length"] = []string{strconv.Itoa(len(b.raw))}
			}
			for range b.times {
				if _, err := w.Write(b.raw); err != nil {
					return // a proxy that is gone is found by the load
				}
			}
		}
		mux.HandleFunc("GET /pass/"+b.name, answer)
		mux.HandleFunc("GET "+b.path+b.name, answer)
	}
	crm := &benchCRM{server: &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}, addr: ln.Addr().String()}
	go func() {
		if err := crm.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			_ = ln.Close() // the load says that nobody answers
		}
	}()
	return crm, nil
}

func (c *benchCRM) close() { _ = c.server.Close() }
