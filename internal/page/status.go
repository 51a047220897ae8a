package page

import "net/http"

// kindOf returns which mark a page bears: a tick, a keyhole, a bar, or a clock.
func kindOf(status int) string {
	switch {
	case status < http.StatusBadRequest:
		return "ok"
	case status == http.StatusUnauthorized:
		return "ask"
	case passes(status):
		return "wait"
	}
	return "no"
}

// passes reports whether trying again later can help.
func passes(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// titleOf returns the heading of a page that has none of its own.
func titleOf(status int) Text {
	switch {
	case status < http.StatusBadRequest:
		return Text{"Erledigt", "Done"}
	case status == http.StatusUnauthorized:
		return Text{"Bitte anmelden", "Please sign in"}
	case status == http.StatusForbidden:
		return Text{"Nicht zugelassen", "Not allowed"}
	case status == http.StatusNotFound:
		return Text{"Seite nicht gefunden", "Page not found"}
	case passes(status):
		return Text{"Gerade nicht möglich", "Not possible right now"}
	}
	return Text{"Nicht weitergeleitet", "Not forwarded"}
}
