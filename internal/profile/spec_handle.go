package profile

// givesSpec is a place in an answer at which a handle stands: a word by which the
// client comes back later for more of what it asked for here (a cursor, a job, an
// export, a file). What was asked is kept until then, encrypted, for the employee
// whose answer it stands in.
type givesSpec struct {
	// Handle is the handle's name, which routes that take it back have under
	// `continues`.
	Handle string `yaml:"handle"`
	// At is the place: a path in an answer of JSON (`$.id`), or a response header
	// (`header.X-Locator`), which is handed on then.
	At string `yaml:"at"`
	// Address says that an address stands there, which leads to the gateway as `links`
	// do. The handle is what the route that it leads to takes for one.
	Address bool `yaml:"address"`
	// None are the texts that stand there for no handle.
	None []string `yaml:"none"`
	// Lasts is how long it can come back: `15m`, `48h`, up to 30 days (`30d`).
	// Default: 24h.
	Lasts string `yaml:"lasts"`
}
