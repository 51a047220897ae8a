package profile

// sessionSpec is one way in which the CRM knows a session of its own again. The
// gateway lets nobody use one but the employee who got it.
type sessionSpec struct {
	// Cookie is the name of the cookie that holds the session's id: the CRM sets
	// it, and the client sends it back.
	Cookie string `yaml:"cookie"`
	// None are values of the cookie that say that there is no session: some CRMs write
	// one at sign-out, the same for everybody.
	None []string `yaml:"none"`
	// Header is the request header that holds it, where no cookie does.
	Header string `yaml:"header"`
	// Scheme is the word in front of the header's value, as in `Session dmVyYTo…`.
	// With another word, or without a header, there is no session.
	Scheme string `yaml:"scheme"`
	// Parts names what stands in the header's value, which is base64 of texts
	// joined by colons: `id` is the session's id, `user` the CRM's own name or
	// number of the user, and `-` is anything. Without parts the value is the id.
	Parts []string `yaml:"parts"`
	// Issued says where the id comes from.
	Issued issuedSpec `yaml:"issued"`
}

// issuedSpec is the call whose answer gives a session out.
type issuedSpec struct {
	// Call is the call's name; its answer holds no records (`pass`).
	Call string `yaml:"call"`
	// ID is the path to the session's id in the call's result.
	ID string `yaml:"id"`
}
