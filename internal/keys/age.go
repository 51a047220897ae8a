package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Age wraps the master keys by age, to the recipients of an identity file and to
// others.
type Age struct {
	// Identity is the file with the identities, as age-keygen writes it. It is read
	// each time: it may be on a medium that is taken away after the start.
	Identity string
	// Recipients are those who can unwrap the keys beside the identity's own.
	Recipients []string
}

// maxIdentity is the length of an identity file.
const maxIdentity = 64 << 10

// Wrap implements Wrapper.
func (a Age) Wrap(_ context.Context, text []byte) ([]byte, error) {
	identities, err := a.identities()
	if err != nil {
		return nil, err
	}
	to, err := ageRecipients(a.Recipients)
	if err != nil {
		return nil, err
	}
	for _, i := range identities {
		switch i := i.(type) {
		case *age.X25519Identity:
			to = append(to, i.Recipient())
		case *age.HybridIdentity:
			to = append(to, i.Recipient())
		default:
			return nil, fmt.Errorf("identity %s: it is of a kind whose recipient isn't known: make one with age-keygen", a.Identity)
		}
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to...)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("wrapping by age: %w", err)
	}
	return b.Bytes(), nil
}

// Unwrap implements Wrapper. It takes what the program age has written, too,
// armoured or not.
func (a Age) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	identities, err := a.identities()
	if err != nil {
		return nil, err
	}
	var from io.Reader = bytes.NewReader(wrapped)
	if bytes.HasPrefix(wrapped, []byte(armor.Header)) {
		from = armor.NewReader(from)
	}
	r, err := age.Decrypt(from, identities...)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, fmt.Errorf("it is wrapped to others than the identity %s: put the right identity there", a.Identity)
	}
	if err != nil {
		// Without age's own error: it quotes what it read, which may be a key.
		return nil, errors.New("it isn't what age has written, or was changed: restore it from a backup")
	}
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, errors.New("it was changed or cut off: restore it from a backup")
	}
	return text, nil
}

// identities reads the identity file. Its errors don't quote it.
func (a Age) identities() ([]age.Identity, error) {
	f, err := os.Open(a.Identity)
	if err != nil {
		return nil, fmt.Errorf("opening the age identity: %w; make one with: age-keygen -o %s", err, a.Identity)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the age identity: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("age identity %s has mode %04o: everybody may read it; run: chmod o= %s", a.Identity, info.Mode().Perm(), a.Identity)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, fmt.Errorf("reading the age identity: %w", err)
	}
	text := string(b)
	switch {
	case strings.HasPrefix(text, "age-encryption.org/") || strings.HasPrefix(text, armor.Header):
		return nil, fmt.Errorf("age identity %s is itself encrypted: the gateway starts without anybody who could give a passphrase; use a plain one", a.Identity)
	case strings.Contains(text, "AGE-PLUGIN-"):
		return nil, fmt.Errorf("age identity %s needs a plugin, and plugins aren't run: use one that age-keygen has made", a.Identity)
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("age identity %s is none: it takes lines AGE-SECRET-KEY-…, as age-keygen writes them", a.Identity)
	}
	return identities, nil
}

// CheckAgeRecipients reports recipients that are none.
func CheckAgeRecipients(list []string) error {
	_, err := ageRecipients(list)
	return err
}

func ageRecipients(list []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for _, r := range list {
		if strings.HasPrefix(r, "AGE-SECRET-KEY-") || strings.HasPrefix(r, "AGE-PLUGIN-") {
			return nil, errors.New("recipient: that is an identity, a secret: give its public half, age1…, and take the line out of all copies")
		}
		parsed, err := age.ParseRecipients(strings.NewReader(r))
		if err != nil || len(parsed) != 1 {
			return nil, fmt.Errorf("recipient %q is none: write age1…, as age-keygen -y prints it", r)
		}
		all = append(all, parsed[0])
	}
	return all, nil
}
