// Command release makes release keys and signs the index of a folder of releases.
package main

import (
	"fmt"
	"os"

	"github.com/crmgate/crmgate/internal/upgrade"
)

func main() {
	if err := upgrade.Publish(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
