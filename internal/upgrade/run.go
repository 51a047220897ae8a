package upgrade

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Service is the gateway that runs.
type Service interface {
	// Active reports whether it runs at all, by a manager of services that can restart it.
	Active(ctx context.Context) (bool, error)
	Restart(ctx context.Context) error
	// Healthy waits until the version serves, and says why it doesn't.
	Healthy(ctx context.Context, version string) error
}

// Upgrade is one run.
type Upgrade struct {
	Source  *Source
	State   *State
	Place   *Place
	Service Service
	// At is the version of the program that runs this, Data the formats of what it keeps.
	At, Data string
	// Try asks a new program whether it takes the configuration.
	Try func(ctx context.Context, program string) error
	// Say tells what is done.
	Say func(format string, args ...any)
	// OneWay lets an upgrade pass that nothing leads back from.
	OneWay bool
	// Retry lets a version be tried again that failed here.
	Retry bool

	now func() time.Time
}

// Plan says what the next run would do.
type Plan struct {
	At string `json:"at"`
	// To is the newest release, "" where there is none that is newer.
	To string `json:"to,omitempty"`
	// OneWay says that the version after it can't read what To will have written.
	OneWay bool `json:"one_way,omitempty"`
	// Failed is why To didn't come up here before.
	Failed string `json:"failed,omitempty"`

	release, before Release
}

// Look asks the source and changes nothing but what was seen.
func (u *Upgrade) Look(ctx context.Context) (*Plan, error) {
	now := time.Now
	if u.now != nil {
		now = u.now
	}
	x, err := u.Source.Index(ctx, now())
	if err != nil {
		return nil, err
	}
	if err := u.State.saw(x); err != nil {
		return nil, err
	}
	p := &Plan{At: u.At}
	r, ok := x.Newest(u.At, u.Place.Form, runtime.GOOS, runtime.GOARCH)
	if !ok || Compare(r.Version, u.At) <= 0 {
		return p, nil
	}
	p.To, p.release, p.OneWay, p.Failed = r.Version, r, r.Data != u.Data, u.State.kept.Failed[r.Version]
	p.before, _ = x.Release(u.At)
	return p, nil
}

// Run ends what an earlier run left, and brings the program to the newest release. Where that doesn't come up, the one before
// runs again and an error says why.
func (u *Upgrade) Run(ctx context.Context) error {
	if u.State.kept.Under != nil {
		u.Say("an upgrade to %s was interrupted", u.State.kept.Under.To)
		return u.resume(ctx)
	}
	p, err := u.Look(ctx)
	if err != nil {
		return err
	}
	switch {
	case p.To == "":
		u.Say("%s is the newest release", u.At)
		return nil
	case p.Failed != "" && !u.Retry:
		return fmt.Errorf("version %s didn't come up here: %s. It isn't tried again by itself: mend that and say --retry, or wait for the next version", p.To, p.Failed)
	case p.OneWay && !u.OneWay:
		return fmt.Errorf("version %s keeps its data otherwise (%s, here %s), so that no way leads back from it: make a backup (crmgate audit backup), then say --one-way", p.To, p.release.Data, u.Data)
	}
	if err := u.prepare(ctx, p); err != nil {
		return err
	}
	return u.swap(ctx)
}

// prepare gets both files, the new one and the one for the way back, and notes them.
func (u *Upgrade) prepare(ctx context.Context, p *Plan) error {
	f, _ := p.release.File(u.Place.Form, runtime.GOOS, runtime.GOARCH)
	path, err := u.Source.Fetch(ctx, u.State.files(), f)
	if err != nil {
		return err
	}
	w := &under{From: u.At, To: p.To, New: f.Name}
	if u.Place.Form == Binary {
		if err := u.tryProgram(ctx, path); err != nil {
			return fmt.Errorf("version %s: %w; nothing was changed", p.To, err)
		}
		w.Old = "crmgate-before"
		if err := u.Place.keep(u.State.path(w.Old)); err != nil {
			return err
		}
	} else if w.Old, err = u.packageBefore(ctx, p); err != nil {
		return err
	}
	if w.Active, err = u.Service.Active(ctx); err != nil {
		return err
	}
	u.State.kept.Under = w
	return u.State.save()
}

// packageBefore gets the package that is installed, which a package manager doesn't keep.
func (u *Upgrade) packageBefore(ctx context.Context, p *Plan) (string, error) {
	f, ok := p.before.File(u.Place.Form, runtime.GOOS, runtime.GOARCH)
	if ok {
		if _, err := u.Source.Fetch(ctx, u.State.files(), f); err != nil {
			return "", err
		}
		return f.Name, nil
	}
	if u.OneWay {
		return "", nil
	}
	return "", fmt.Errorf("the source has no package of %s, so that no way would lead back to it: upgrade by hand, or say --one-way", u.At)
}

// swap puts the new one in the old one's place, and the old one back where the new one doesn't come up.
func (u *Upgrade) swap(ctx context.Context) error {
	w := u.State.kept.Under
	u.Say("%s takes the place of %s", w.To, w.From)
	placed := u.Place.put(ctx, u.State.path(w.New))
	w.Placed = true
	if err := u.State.save(); err != nil {
		return err
	}
	if placed != nil {
		return u.back(ctx, placed)
	}
	return u.judge(ctx, u.Place.Form == Binary)
}

// judge lets the new one run and waits until it serves. A package has restarted the service by itself, but where it
// doesn't take the configuration: then the old one goes on.
func (u *Upgrade) judge(ctx context.Context, restart bool) error {
	w := u.State.kept.Under
	if !w.Active {
		u.Say("%s is installed. The service didn't run, and wasn't started", w.To)
		return u.end()
	}
	if err := u.serves(ctx, w.To, restart); err != nil {
		return u.back(ctx, err)
	}
	u.Say("%s serves", w.To)
	delete(u.State.kept.Failed, w.To)
	return u.end()
}

// back puts the old one in its place again, for a reason.
func (u *Upgrade) back(ctx context.Context, reason error) error {
	w := u.State.kept.Under
	if w.Old == "" {
		return errors.Join(fmt.Errorf("version %s didn't come up, and nothing leads back to %s: %w", w.To, w.From, reason), u.failed(reason))
	}
	u.Say("%s doesn't come up: back to %s", w.To, w.From)
	ctx = context.WithoutCancel(ctx) // who stops this now would leave a gateway that doesn't serve
	err := u.Place.put(ctx, u.State.path(w.Old))
	if err == nil && w.Active {
		err = u.serves(ctx, w.From, true)
	}
	if err != nil {
		return fmt.Errorf("version %s didn't come up: %w; going back to %s failed, too: %w; its file is %s, and the next run tries again",
			w.To, reason, w.From, err, u.State.path(w.Old))
	}
	return errors.Join(fmt.Errorf("version %s didn't come up: %w; version %s serves again", w.To, reason, w.From), u.failed(reason))
}

// serves waits until the version serves, after a restart.
func (u *Upgrade) serves(ctx context.Context, version string, restart bool) error {
	if restart {
		if err := u.Service.Restart(ctx); err != nil {
			return err
		}
	}
	return u.Service.Healthy(ctx, version)
}

// failed notes that a version isn't to be tried again by itself.
func (u *Upgrade) failed(reason error) error {
	if u.State.kept.Failed == nil {
		u.State.kept.Failed = map[string]string{}
	}
	u.State.kept.Failed[u.State.kept.Under.To] = reason.Error()
	return u.end()
}

// end notes that nothing is under way any longer. The file for the way back stays until the next upgrade.
func (u *Upgrade) end() error {
	w := u.State.kept.Under
	u.State.kept.Under = nil
	return errors.Join(u.State.save(), u.State.tidy(w.Old))
}

// resume ends what was interrupted. Before the new one was noted as placed, the old one is put back, which
// changes nothing where it is still there; after that, the new one is let run and judged.
func (u *Upgrade) resume(ctx context.Context) error {
	w := u.State.kept.Under
	switch {
	case w.Placed:
		return u.judge(ctx, true)
	case w.Old == "":
		return u.swap(ctx) // there is no other way than on
	case u.Place.Form == Binary:
		if there, err := u.Place.holds(u.State.path(w.Old)); err == nil && there {
			u.Say("%s is in its place: nothing was changed", w.From)
			return u.end()
		}
	}
	if err := u.Place.put(ctx, u.State.path(w.Old)); err != nil {
		return err
	}
	if w.Active {
		if err := u.serves(ctx, w.From, true); err != nil {
			return err
		}
	}
	u.Say("%s is in its place again", w.From)
	return u.end()
}

// tryProgram asks the new program, where there is something to ask.
func (u *Upgrade) tryProgram(ctx context.Context, path string) error {
	if u.Try == nil {
		return nil
	}
	return u.Try(ctx, path)
}
