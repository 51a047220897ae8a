// Package speed measures what masking an answer costs, against readers that do
// nothing but read the same bytes in the same run.
package speed
