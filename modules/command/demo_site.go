package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// site is where the demo is reached.
type site struct {
	host, port string
	reserved   net.Listener
}

// parseListen takes loopback addresses alone.
func parseListen(addr string) (site, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return site{}, fmt.Errorf("--listen %s: write host and port, as in localhost:8080", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return site{}, fmt.Errorf("--listen %s: the demo's passwords are known to everybody, so it listens on this machine alone; name localhost", addr)
	}
	return site{host: host, port: port}, nil
}

// reserve takes the port until Caddy does, and finds out which one port 0 is.
// Caddy shares a port with whoever else shares it, so a second demo would start
// beside the first one and get half of its requests.
func (s *site) reserve(ctx context.Context) error {
	addr := net.JoinHostPort(s.host, s.port)
	l, err := listen(ctx, addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use already: stop what listens there, or choose another address by --listen (localhost:0 takes a free port)", addr)
	}
	if err != nil {
		return fmt.Errorf("--listen %s: %w", addr, err)
	}
	s.reserved = l
	_, s.port, err = net.SplitHostPort(l.Addr().String())
	return err
}

// release gives the port up.
func (s *site) release() {
	if s.reserved != nil {
		_ = s.reserved.Close() // it never accepted anything
		s.reserved = nil
	}
}

// urls are the site's addresses, the one to print first.
func (s *site) urls() []string {
	urls := []string{"http://" + net.JoinHostPort(s.host, s.port)}
	if s.host == "localhost" {
		urls = append(urls, "http://"+net.JoinHostPort("127.0.0.1", s.port))
	}
	return urls
}
