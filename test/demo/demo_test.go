// Package demo runs the product as people do: the command in a process of its
// own, a browser's requests, the log afterwards. The scripts are the txtar files
// beside this one.
package demo

import (
	"os"
	"path/filepath"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/rogpeppe/go-internal/testscript"

	_ "github.com/crmgate/crmgate/modules/standard"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"crmgate": caddycmd.Main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 ".",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Values[houseKey{}] = &house{}
			testdata, err := filepath.Abs("testdata")
			env.Setenv("TESTDATA", testdata)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"demo": startDemo, "interrupt": interrupt, "crash": crash, "port": takePort,
			"signin": signIn, "get": get, "har": recordHAR, "flip": flip,
			"sameanswer": sameAnswer, "keepopen": keepOpen,
		},
	})
}
