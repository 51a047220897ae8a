package access

// FactState says whether a named fact (`own`, `consent:newsletter`) holds for a
// record. The zero value is unknown: it never satisfies an allow and always
// satisfies a deny.
type FactState uint8

// The states of a fact.
const (
	FactUnknown FactState = iota
	FactFalse
	FactTrue
)

// Facts holds the state of each named fact for one record. A missing name is
// unknown; nil is a record of which nothing is known.
type Facts map[string]FactState

// Verdict is what a policy says of one category of one entity.
type Verdict struct {
	Treatment Treatment
	// Allowed says that some allow line covers the entity, the category and the
	// action. Without it the treatment is at most Hidden, and the category may
	// be neither asked about nor written.
	Allowed bool
	// Line is the policy line that decided ("policy.csv:12: p, sales, …"), or a
	// sentence that names the default.
	Line string
}

// Plan is a policy compiled for one role set and action: entity and category to
// treatment, for every state of the facts that the policy names. It is
// immutable and shared between requests.
type Plan struct {
	Roles []string
	// Action is empty in a plan for several actions at once: it reveals what
	// each of them does.
	Action Action
	// Version names the policy snapshot that the plan was compiled from.
	Version string
	// FactNames are the facts that decide anything here, sorted.
	FactNames []string
	// Cells holds, per entity and category, one verdict per combination of fact
	// states: index = Σ state(FactNames[i]) · 3^i. Entity "*" stands for
	// entities without a cell of their own.
	Cells map[Entity]map[Category][]Verdict
}

// AnyEntity is the cell that stands for entities without one of their own.
const AnyEntity Entity = "*"

// Verdict returns what the plan says of a category of an entity's record. What
// the plan doesn't know is hidden; credentials are hidden, public is clear,
// whatever the policy says.
func (p *Plan) Verdict(e Entity, c Category, facts Facts) Verdict {
	switch c {
	case Public:
		return Verdict{Treatment: Clear, Allowed: true, Line: "public is always clear"}
	case Credential:
		return Verdict{Treatment: Hidden, Line: "credentials are never shown"}
	}
	verdicts := p.cell(e, c)
	if verdicts == nil {
		return Verdict{Treatment: Hidden, Line: "no line: hidden"}
	}
	i, pow := 0, 1
	for _, name := range p.FactNames {
		i += int(facts[name]) * pow
		pow *= 3
	}
	return verdicts[i]
}

// AlwaysClear reports whether a category may be asked about: it is clear for
// every record that a question can touch, whatever its facts.
func (p *Plan) AlwaysClear(e Entity, c Category) (Verdict, bool) {
	switch c {
	case Public, Credential:
		v := p.Verdict(e, c, nil)
		return v, v.Treatment == Clear
	}
	verdicts := p.cell(e, c)
	for _, v := range verdicts {
		if !v.Allowed || v.Treatment != Clear {
			return v, false
		}
	}
	if verdicts == nil {
		return p.Verdict(e, c, nil), false
	}
	return verdicts[0], true
}

func (p *Plan) cell(e Entity, c Category) []Verdict {
	cells, ok := p.Cells[e]
	if !ok {
		cells = p.Cells[AnyEntity]
	}
	return cells[c]
}

// Decision is what the policy says of an access.
type Decision struct {
	Refused bool
	// Reason is a closed word for the log and the metrics, and Text the
	// sentence for the person who was refused. Both are empty when allowed.
	Reason string
	Text   string
	// Field is the field over which the request was refused, as the CRM spells
	// it; empty where the action as a whole was.
	Field string
	// Line is the policy line that decided.
	Line string
	// Narrow says that the refusal falls away when the profile narrows the
	// search to the readable parts.
	Narrow bool
	// Facts are the facts whose being unknown led to the refusal: with the
	// stored record read and its facts known, the access can be judged anew.
	Facts []string
	// Unchanged are the fields of an update that may go on only as they are
	// stored: who compares them with the stored values refuses an edited one.
	// An update is forwarded without that comparison only if this is empty.
	Unchanged []Ref
	// Plan is what the answer is masked by: that of the action where its answer
	// shows records (read, search, export, reveal), that of reading for all
	// others, and the least revealing of them for several accesses. Nil when
	// refused.
	Plan *Plan
	// Plans are the plans of the accesses' own actions, each action once, in
	// the order of the accesses.
	Plans []*Plan
}
