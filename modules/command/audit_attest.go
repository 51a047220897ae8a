package command

import (
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
)

// attesters are the flags that name who has to have signed checkpoints.
type attesters struct {
	witnesses []string
	tsa       string
}

func (a *attesters) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.witnesses, "witness", nil, "The public key of a witness, or a file with one a line; may be given several times")
	cmd.Flags().StringVar(&a.tsa, "tsa", "", "The root certificates (PEM) of the time stamping authority")
}

func (a *attesters) read() (by audit.Attesters, err error) {
	if by.Witnesses, err = keysGiven("--witness", a.witnesses); err != nil || a.tsa == "" {
		return by, err
	}
	pem, err := os.ReadFile(a.tsa)
	if err != nil {
		return by, fmt.Errorf("--tsa: %w", err)
	}
	by.Authorities = x509.NewCertPool()
	if !by.Authorities.AppendCertsFromPEM(pem) {
		return by, fmt.Errorf("--tsa: there is no certificate in %s", a.tsa)
	}
	return by, nil
}

// attestedRows say what others have signed.
func attestedRows(witnessed, stamped *audit.Attestation) [][]string {
	var rows [][]string
	add := func(name, verb string, a *audit.Attestation, flag string) {
		if a == nil {
			return
		}
		text := fmt.Sprintf("%d entries, %s %s, by %s", a.Size, verb, a.Time.Format(time.RFC3339), strings.Join(a.By, ", "))
		if !a.Checked {
			text += " (not checked: give " + flag + ")"
		}
		rows = append(rows, []string{name, text})
	}
	add("witnessed", "countersigned", witnessed, "--witness")
	add("stamped", "stamped", stamped, "--tsa")
	return rows
}

// anchored is what an anchor writes to syslog, as receivers keep it.
var anchored = regexp.MustCompile(`\[checkpoint@32473 origin="([A-Za-z0-9./-]+)" size="([0-9]+)" root="([A-Za-z0-9+/=]+)" id="[0-9a-f]+" signature="([A-Za-z0-9+/=]+)"\]`)

// keptNotes are the signed notes in a file that was kept elsewhere: the file itself, or one
// for each line of an anchor in it.
func keptNotes(name string) (map[string][]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	notes := map[string][]byte{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if m := anchored.FindStringSubmatch(line); m != nil {
			notes[fmt.Sprintf("%s:%d", name, n)] = fmt.Appendf(nil, "%s\n%s\n%s\n\n— %s %s\n", m[1], m[2], m[3], m[1], m[4])
		}
	}
	if len(notes) == 0 { // whether it is a note is said where it is opened
		notes[name] = text
	}
	return notes, nil
}
