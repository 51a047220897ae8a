//go:build !linux

package crmgate

func freeBytes(string) int64 { return -1 }
