package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Credential are master keys that the service manager hands over at the start, in a
// directory that it makes for the service alone. Nothing here can write them.
type Credential struct {
	// Dir is the service's $CREDENTIALS_DIRECTORY, "" outside of one.
	Dir string
	// Name is the credential's.
	Name string
}

// ErrNoService says that credentials were asked for outside of a service.
var ErrNoService = errors.New("$CREDENTIALS_DIRECTORY isn't set: only a service of systemd is handed credentials")

// credentialFile is where the manual keeps the encrypted credential.
func (c Credential) file() string { return "/etc/credstore.encrypted/" + c.Name }

func (c Credential) String() string { return "the systemd credential " + c.Name }

// Load reads the credential. Its mode isn't judged: systemd guards the directory.
func (c Credential) Load(context.Context) (*Ring, error) {
	if c.Dir == "" {
		return nil, fmt.Errorf("%w. Start the gateway by its unit with LoadCredentialEncrypted=%s; run a command as: "+
			"systemd-run --pipe --wait -p User=crmgate -p LoadCredentialEncrypted=%s crmgate …", ErrNoService, c.Name, c.Name)
	}
	f, err := os.Open(filepath.Join(c.Dir, c.Name))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", c, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c, err)
	}
	keys, ok := parse(text)
	if !ok {
		return nil, fmt.Errorf("%s holds no master keys: encrypt what crmgate keys new prints, or the file %s as it was", c, FileName)
	}
	return newRing(keys), nil
}

// Make says how a credential is made.
func (c Credential) Make(context.Context) error {
	return fmt.Errorf("%s: %w: make it with: crmgate keys new | systemd-creds encrypt --name=%s - %s; "+
		"write LoadCredentialEncrypted=%s into the unit, and start it anew", c, fs.ErrNotExist, c.Name, c.file(), c.Name)
}

// Rotate says how a key is added to a credential.
func (c Credential) Rotate(context.Context, time.Time) (byte, error) {
	return 0, fmt.Errorf("%s can't be written by a program that is handed it. As root, in a shell with set -o pipefail: "+
		"systemd-creds decrypt --name=%s %s - | crmgate keys rotate --pipe | systemd-creds encrypt --name=%s - %s.new && mv %s.new %s; "+
		"then restart the gateway: systemd hands credentials over at a start",
		c, c.Name, c.file(), c.Name, c.file(), c.file(), c.file())
}
