package soql

// clauses reads what stands behind FROM, and reports whether it groups.
func (p *parser) clauses(s *scope) (grouped bool, err error) {
	if p.words("using", "scope") {
		if p.word("delegated", "everything", "mine", "mineandmygroups", "mine_and_my_groups", "my_territory", "my_team_territory", "team", "allprivate") == "" {
			return false, p.wrong("a scope is not served")
		}
	}
	if p.words("where") {
		if err := p.condition(s); err != nil {
			return false, err
		}
	}
	if p.words("with") && p.word("security_enforced", "user_mode", "system_mode") == "" {
		return false, p.wrong("WITH is served for SECURITY_ENFORCED, USER_MODE and SYSTEM_MODE")
	}
	if p.words("group", "by") {
		grouped = true
		if err := p.group(s); err != nil {
			return true, err
		}
	}
	if p.words("order", "by") {
		if err := p.order(s); err != nil {
			return grouped, err
		}
	}
	return grouped, p.bounds()
}

// bounds reads how many rows are asked for, and what for.
func (p *parser) bounds() error {
	for _, word := range []string{"limit", "offset"} {
		if p.words(word) {
			if err := p.count(); err != nil {
				return err
			}
		}
	}
	for p.words("for") {
		if p.word("view", "reference", "update") == "" {
			return p.wrong("FOR is served for VIEW, REFERENCE and UPDATE")
		}
	}
	if err := p.updates(); err != nil {
		return err
	}
	p.words("all", "rows")
	return nil
}

// updates reads `UPDATE TRACKING, VIEWSTAT`.
func (p *parser) updates() error {
	if !p.words("update") {
		return nil
	}
	for {
		if p.word("tracking", "viewstat") == "" {
			return p.wrong("UPDATE is served for TRACKING and VIEWSTAT")
		}
		if !p.sign(",") {
			return nil
		}
	}
}

// group reads what rows are grouped by, and what groups are left out.
func (p *parser) group(s *scope) error {
	brackets := (p.peek().is("rollup") || p.peek().is("cube")) && p.after().isSign("(")
	if brackets {
		p.i += 2
	}
	for {
		e, err := p.expression()
		if err != nil {
			return err
		}
		if e.groups {
			return p.wrong("rows are grouped by an aggregate")
		}
		p.note(s, Group, e)
		if !p.sign(",") {
			break
		}
	}
	if brackets {
		if err := p.expect(")", "the brackets of ROLLUP or CUBE aren't closed"); err != nil {
			return err
		}
	}
	if p.words("having") {
		return p.condition(s)
	}
	return nil
}

// order reads what rows are sorted by.
func (p *parser) order(s *scope) error {
	for {
		e, err := p.expression()
		if err != nil {
			return err
		}
		p.note(s, Sort, e)
		p.word("asc", "desc")
		if p.words("nulls") && p.word("first", "last") == "" {
			return p.wrong("NULLS FIRST or NULLS LAST is expected")
		}
		if !p.sign(",") {
			return nil
		}
	}
}
