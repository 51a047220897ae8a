package crmgate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/alarm"
)

// AlarmCommon is what every sink that tells of alarms can be told. Modules embed it.
type AlarmCommon struct {
	SinkCommon
	// Desk is the address of a site with a desk, without a path
	// (`https://crm.example.de`): messages lead to its page of alarms. Required.
	Desk string `json:"desk"`
	// Level is the lightest alarm that is told: low, medium or high. Default medium.
	Level string `json:"level,omitempty"`
	// Every is how long a cause is quiet after it was told; how often it came
	// meanwhile is told behind. From 1m to 24h. Default 15m.
	Every caddy.Duration `json:"every,omitempty"`
}

// AlarmSink is a sink that tells of alarms.
type AlarmSink interface {
	Sink
	// Says is what it is told, for the register: no secret.
	Says() string
}

// Says implements AlarmSink.
func (c *AlarmCommon) Says() string {
	return "level " + c.Level + ", every " + time.Duration(c.Every).String() + ", desk " + c.Desk
}

const (
	defaultEvery = 15 * time.Minute
	longestEvery = 24 * time.Hour
)

// AlarmWords are the words of every alarm sink's block.
func AlarmWords() []string { return append(SinkWords(), "desk", "level", "every") }

// ProvisionAlarms judges what is common.
func (c *AlarmCommon) ProvisionAlarms() error {
	if c.Level == "" {
		c.Level = string(alarm.Medium)
	}
	if !alarm.Level(c.Level).Valid() {
		return fmt.Errorf("level %q: it takes low, medium or high", c.Level)
	}
	if c.Every == 0 {
		c.Every = caddy.Duration(defaultEvery)
	}
	if e := time.Duration(c.Every); e < time.Minute || e > longestEvery {
		return fmt.Errorf("every %s: it takes 1m to 24h", e)
	}
	c.Desk = strings.TrimSuffix(c.Desk, "/")
	u, err := url.Parse(c.Desk)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("desk: messages lead to the page of alarms: write the address of a site that has one, desk https://crm.example.de")
	}
	return nil
}

// Channel makes the channel.
func (c *AlarmCommon) Channel(s alarm.Sender) *alarm.Channel {
	return alarm.NewChannel(s, c.Desk, alarm.Level(c.Level), time.Duration(c.Every))
}

// UnmarshalAlarmWord reads one of AlarmWords.
func (c *AlarmCommon) UnmarshalAlarmWord(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "desk":
		if c.Desk != "" || !d.AllArgs(&c.Desk) {
			return d.Err("desk takes the address of a site with a desk, and stands once: desk https://crm.example.de")
		}
	case "level":
		if c.Level != "" || !d.AllArgs(&c.Level) || !alarm.Level(c.Level).Valid() {
			return d.Err("level takes low, medium or high, and stands once: level medium")
		}
	case "every":
		var s string
		if !d.AllArgs(&s) {
			return d.Err("every takes one duration: every 15m")
		}
		t, err := caddy.ParseDuration(s)
		if err != nil || t < time.Minute || t > longestEvery {
			return d.Errf("%q is no duration from 1m to 24h: write 15m", s)
		}
		c.Every = caddy.Duration(t)
	default:
		return c.UnmarshalWord(d)
	}
	return nil
}

// IsAlarmWord reports whether a word is one of AlarmWords.
func IsAlarmWord(word string) bool { return slices.Contains(AlarmWords(), word) }
