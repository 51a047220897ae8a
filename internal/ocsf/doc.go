// Package ocsf writes entries of the log as events of the Open Cybersecurity Schema
// Framework, one JSON object a line: requests and their answers as Web Resources
// Activity (6001), sign-ins as Authentication (3002), all else as API Activity (6003).
//
// An event holds no value of a record, nothing that somebody searched for or typed
// as a reason, no hash by which a value could be guessed, and no employee's name: an
// employee is a pseudonym, which the desk resolves for those who may.
package ocsf
