//go:build race

package audit

// sparse is by how much simulations are thinned out: the race detector slows them
// tenfold, and they run whole without it.
const sparse = 10
