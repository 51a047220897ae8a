//go:build !race

package audit

const sparse = 1
