package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// spare is the least that is to be free on the log's disk.
const spare = 1 << 30

// data looks at the data directory: who it belongs to, the keys, the disk.
func (e *examination) data(ctx context.Context, dir string, src keys.Source) {
	const about = "data directory"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.say(crmgate.Warning, about, "The first start makes it, with new keys; if there should be a log already, correct data_dir",
			"%s is not there yet", dir)
		e.disk(existing(dir))
		return
	case err != nil:
		e.say(crmgate.Failure, about, "Correct data_dir, or let the gateway's user reach it", "%v", err)
		return
	case !info.IsDir():
		e.say(crmgate.Failure, about, "Correct data_dir", "%s is no directory", dir)
		return
	case info.Mode().Perm()&0o077 != 0:
		e.say(crmgate.Warning, about, "chmod 700 "+dir, "others than its owner may look into %s", dir)
	case !ownerCanTell(info):
		e.say(crmgate.Warning, about, "Run this as the directory's owner", "root may do everything, so this doesn't show what the gateway's user may do in %s", dir)
	default:
		e.say(crmgate.Good, about, "", "%s is its owner's alone", dir)
	}
	e.keys(ctx, dir, src)
	log := filepath.Join(dir, "log")
	if _, err := os.Stat(log); err != nil {
		log = dir
	}
	e.disk(log)
}

// existing is the nearest folder above that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// keys looks at the master keys. It never makes one.
func (e *examination) keys(ctx context.Context, dir string, src keys.Source) {
	const about = "keys"
	_, logged := os.Stat(filepath.Join(dir, "log"))
	_, err := crmgate.OpenKeys(ctx, dir, src, false)
	switch {
	case errors.Is(err, fs.ErrNotExist) && logged == nil:
		e.say(crmgate.Failure, about, "Put the key of this log there, from the backup: a new one opens nothing of it", "there is a log in %s, but no key in %s", dir, src)
	case errors.Is(err, fs.ErrNotExist):
		if _, ok := src.(keys.Taker); !ok {
			e.say(crmgate.Failure, about, "Make them before the first start", "%v", src.Make(ctx))
			return
		}
		e.say(crmgate.Good, about, "", "the first start makes them in %s", src)
	case errors.Is(err, keys.ErrNoService):
		e.say(crmgate.Warning, about, "Run this as a service of systemd, too", "whether they can be read can't be told from here: %v", err)
	case err != nil:
		e.say(crmgate.Failure, about, "Let the gateway's user alone read the file, and run this as that user", "%v", err)
	default:
		e.say(crmgate.Good, about, "", "they can be read; keep a copy of %s apart from the log's backup", src)
	}
}

// disk looks at where the log is, or will be, written.
func (e *examination) disk(at string) {
	const about = "log"
	if err := writable(at); err != nil {
		e.say(crmgate.Failure, about, "Give the directory to the user that the gateway runs as, and run this as that user: without its log the gateway forwards nothing",
			"%s can't be written: %v", at, err)
		return
	}
	free, err := freeSpace(at)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		e.say(crmgate.Warning, about, "Keep an eye on its disk: a full one stops all requests", "how much space is free in %s can't be told on this system", at)
	case err != nil:
		e.say(crmgate.Failure, about, "Check the file system", "looking at the disk of %s: %v", at, err)
	case free < spare:
		e.say(crmgate.Warning, about, "Make room: a full disk stops all requests, because nothing is forwarded that can't be logged",
			"%s are free in %s", humanize.IBytes(free), at)
	default:
		e.say(crmgate.Good, about, "", "%s can be written, and %s are free", at, humanize.IBytes(free))
	}
}

// doctored is the result for machines.
type doctored struct {
	Remarks  []crmgate.Remark `json:"remarks"`
	Register []registration   `json:"register"`
	Errors   int              `json:"errors"`
	Warnings int              `json:"warnings"`
}

func (e *examination) showJSON(w io.Writer) error {
	return printJSON(w, doctored{e.list, e.register, e.count(crmgate.Failure), e.count(crmgate.Warning)})
}

// show prints the remarks, the worst last: that is where a terminal stands.
func (e *examination) show(w io.Writer) error {
	var b strings.Builder
	several := len(e.register) > 1
	for _, level := range []crmgate.Level{crmgate.Good, crmgate.Warning, crmgate.Failure} {
		for _, r := range e.list {
			if r.Level != level {
				continue
			}
			about := r.About
			if r.Site != "" && several {
				about += " of " + r.Site
			}
			fmt.Fprintf(&b, "%-8s %s: %s\n", string(level), printable(about), printable(r.What))
			if r.Remedy != "" {
				fmt.Fprintf(&b, "%-8s → %s\n", "", printable(r.Remedy))
			}
		}
	}
	for _, r := range e.register {
		fmt.Fprintf(&b, "\nRegister at %s:\n", printable(r.Issuer))
		for _, line := range []struct {
			name string
			uris []string
		}{
			{"redirect URI", r.Redirect},
			{"redirect URI after sign-out", r.SignedOut},
			{"back-channel logout URI", r.BackChannel},
			{"or front-channel logout URI", r.FrontChannel},
		} {
			for _, uri := range line.uris {
				fmt.Fprintf(&b, "  %-28s %s\n", line.name, printable(uri))
			}
		}
	}
	fmt.Fprintf(&b, "\nerrors: %d, warnings: %d\n", e.count(crmgate.Failure), e.count(crmgate.Warning))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
