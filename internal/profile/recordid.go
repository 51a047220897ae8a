package profile

// RecordID is an id in the form in which accesses and disclosures name it.
func (p *Profile) RecordID(id string) string {
	if p.salesforceIDs && isSalesforceID(id) {
		return salesforceID(id)
	}
	return id
}
