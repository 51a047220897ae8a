package alarm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/sink"
)

// Hook posts messages to a web server, signed as Standard Webhooks say where there is
// a secret. The field text has what chat servers show.
type Hook struct{ web *sink.Webhook }

// NewHook makes one of an address. It connects to nothing.
func NewHook(address string, o sink.WebhookOptions) (*Hook, error) {
	o.Media = "application/json"
	w, err := sink.NewWebhook(address, o)
	if err != nil {
		return nil, err
	}
	return &Hook{w}, nil
}

// Send implements Sender.
func (h *Hook) Send(ctx context.Context, m *Message) error {
	type data struct {
		Alarms []Told `json:"alarms"`
		Left   int    `json:"left,omitempty"`
		Desk   string `json:"desk"`
	}
	body, err := json.Marshal(struct {
		Type string    `json:"type"`
		Time time.Time `json:"timestamp"`
		Data data      `json:"data"`
		Text string    `json:"text"`
	}{"crmgate.alarm", m.Alarms[0].Time, data{m.Alarms, m.Left, m.Desk}, m.Text()})
	if err != nil {
		return fmt.Errorf("writing an alarm: %w", err)
	}
	return h.web.Post(ctx, body, m.ID)
}

// Close implements Sender.
func (h *Hook) Close() error { return h.web.Close() }

var _ Sender = (*Hook)(nil)
