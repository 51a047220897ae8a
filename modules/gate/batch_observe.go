package gate

import (
	"errors"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/profile"
)

// classifyParts asks the profile about each request of a batch at a site that only
// observes. One intent names what all of them ask for, and why the first would be
// refused that would be; the answer leaves unread. A fresh proof is asked for as
// ever: then it reports false.
func (o *watchedRequest) classifyParts() bool {
	b := o.x.Batch()
	if b == nil {
		return true
	}
	for i := range b.Requests.Messages {
		p := o.part(b, i)
		p.of = len(b.Requests.Messages)
		would := p.observed(b)
		if o.would == "" {
			o.would = would
		}
		if p.x == nil {
			continue
		}
		if !p.stepUp() {
			return false
		}
		o.x.Accesses = append(o.x.Accesses, p.x.Accesses...)
	}
	return true
}

// observed classifies one request of a batch and returns why it would be refused, ""
// where it wouldn't.
func (p *request) observed(b *profile.Batch) string {
	if no := p.alone(b); no != nil {
		return no.reason
	}
	x, err := p.h.profile.Classify(p.asProfile(p.c, p.body))
	if no, ok := errors.AsType[*profile.Refusal](err); ok {
		return no.Reason
	}
	if err != nil {
		p.h.logger.Error("classifying", zap.String("request", p.id), zap.Error(err))
		return "profile"
	}
	x, refused := p.resume(x)
	if refused == nil {
		refused = p.keepable(x, p.body)
	}
	if refused != nil {
		return refused.reason
	}
	p.x = x
	if no := p.together(); no != nil {
		return no.reason
	}
	return ""
}
