package soql

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// asks lists what a query names: role object.path, and its columns: name=fields.
func asks(q *Query) string {
	var out []string
	for _, r := range q.Refs {
		out = append(out, string(r.Role)+" "+strings.Join(append([]string{r.From}, r.Path...), "."))
	}
	for _, of := range slices.Sorted(maps.Keys(q.Rows)) {
		out = append(out, columns(of, q.Rows[of])...)
	}
	return strings.Join(out, ", ")
}

func columns(of string, l *Level) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(l.Columns)) {
		var fields []string
		for _, f := range l.Columns[name].Fields {
			fields = append(fields, strings.Join(append([]string{f.From}, f.Path...), "."))
		}
		out = append(out, of+"/"+name+"="+strings.Join(fields, "+"))
	}
	for _, name := range slices.Sorted(maps.Keys(l.Subs)) {
		out = append(out, columns(of+"/"+name, l.Subs[name])...)
	}
	return out
}

func TestQueryNamesWhatItAsksAbout(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"SELECT Id, Account.Owner.Name FROM Contact", "select Contact.Id, select Contact.Account.Owner.Name"},
		{"select id from contact", "select contact.id"},
		{"SELECT Id FROM Contact WHERE (Email LIKE 'a%' OR NOT (Phone != null)) AND LastName IN ('a', 'b')", "filter Contact.Email, filter Contact.Phone, filter Contact.LastName, select Contact.Id"},
		{"SELECT Id FROM Contact ORDER BY Email DESC NULLS LAST, Account.Name LIMIT 10 OFFSET 5", "sort Contact.Email, sort Contact.Account.Name, select Contact.Id"},
		{"SELECT c.Id, a.Phone FROM Contact c, c.Account a WHERE a.Fax = '1'", "select Contact.Account, filter Contact.Account.Fax, select Contact.Id, select Contact.Account.Phone"},
		{"SELECT Name n, MAX(Amount) max, COUNT(Id) FROM Opportunity GROUP BY Name HAVING MIN(Amount) > 5", "group Opportunity.Name, filter Opportunity.Amount, aggregate Opportunity.Amount, select Opportunity.Name, select Opportunity.Amount, select Opportunity.Id, aggregate Opportunity.Id, /expr0=, /max=Opportunity.Amount, /n=Opportunity.Name"},
		{"SELECT Account.Name, MAX(Email), FORMAT(MIN(Birthdate)) b FROM Contact GROUP BY Account.Name", "group Contact.Account.Name, select Contact.Account.Name, select Contact.Email, aggregate Contact.Email, select Contact.Birthdate, aggregate Contact.Birthdate, /b=Contact.Birthdate, /expr0=Contact.Email, /name=Contact.Account.Name"},
		{"SELECT COUNT() FROM Contact WHERE Email = 'x'", "filter Contact.Email"},
		{"SELECT COUNT_DISTINCT(Email) FROM Contact", "select Contact.Email, aggregate Contact.Email, /expr0="},
		{"SELECT FORMAT(Birthdate) b, toLabel(Status) FROM Contact", "select Contact.Birthdate, select Contact.Status, /b=Contact.Birthdate, /expr0=Contact.Status"},
		{"SELECT CALENDAR_YEAR(convertTimezone(Birthdate)) y, COUNT(Id) c FROM Contact GROUP BY CALENDAR_YEAR(convertTimezone(Birthdate))", "group Contact.Birthdate, select Contact.Birthdate, aggregate Contact.Birthdate, select Contact.Id, aggregate Contact.Id, /c=, /y=Contact.Birthdate"},
		{"SELECT MAX(Email), toLabel(LeadSource), MIN(Phone) FROM Lead GROUP BY LeadSource", "group Lead.LeadSource, select Lead.Email, aggregate Lead.Email, select Lead.LeadSource, select Lead.Phone, aggregate Lead.Phone, /expr0=Lead.Email+Lead.LeadSource+Lead.Phone, /expr1=Lead.Email+Lead.LeadSource+Lead.Phone, /expr2=Lead.Email+Lead.LeadSource+Lead.Phone, /leadsource=Lead.LeadSource"},
		{"SELECT Id, (SELECT Email, FORMAT(Birthdate) b, (SELECT Subject FROM Tasks) FROM Contacts WHERE Phone LIKE '1%' ORDER BY Fax) FROM Account", "select Account.Contacts.Tasks.Subject, filter Account.Contacts.Phone, sort Account.Contacts.Fax, select Account.Contacts.Email, select Account.Contacts.Birthdate, select Account.Id, /contacts/b=Account.Contacts.Birthdate"},
		{"SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact c WHERE c.Email LIKE 'a%') AND Id NOT IN (SELECT WhatId FROM Task)", "filter Account.Id, filter Contact.Email, filter Contact.AccountId, filter Task.WhatId, select Account.Id"},
		{"SELECT TYPEOF What WHEN Account THEN Phone, Name WHEN Opportunity THEN Amount ELSE Name, Email END, Id FROM Event", "select Account.Phone, select Account.Name, select Opportunity.Amount, select Event.What.Name, select Event.What.Email, select Event.Id"},
		{"SELECT FIELDS(ALL) FROM Contact LIMIT 200", ""},
		{"SELECT ns__Secret__c FROM ns__Thing__c WHERE ns__A__r.b__c INCLUDES ('a;b', 'c')", "filter ns__Thing__c.ns__A__r.b__c, select ns__Thing__c.ns__Secret__c"},
		{"SELECT Id FROM Contact USING SCOPE mine WHERE CreatedDate = LAST_N_DAYS:30 AND Birthdate < 1980-01-01 AND LastModifiedDate > 2026-01-01T00:00:00.000+01:00 WITH SECURITY_ENFORCED LIMIT 1 FOR VIEW", "filter Contact.CreatedDate, filter Contact.Birthdate, filter Contact.LastModifiedDate, select Contact.Id"},
		{"SELECT Id FROM Contact WHERE DISTANCE(MailingAddress, GEOLOCATION(37.7,-122.4), 'km') < 20 ORDER BY DISTANCE(MailingAddress, GEOLOCATION(37,122), 'mi')", "filter Contact.MailingAddress, sort Contact.MailingAddress, select Contact.Id"},
		{"SELECT LeadSource, GROUPING(LeadSource) g, COUNT(Id) c FROM Lead GROUP BY ROLLUP(LeadSource, Status)", "group Lead.LeadSource, group Lead.Status, select Lead.LeadSource, aggregate Lead.LeadSource, select Lead.Id, aggregate Lead.Id, /c=, /g=, /leadsource=Lead.LeadSource"},
		{"SELECT Name count, MAX(Amount) end, MIN(Amount) order, SUM(Amount) for FROM Opportunity all GROUP BY Name", "group Opportunity.Name, select Opportunity.Name, select Opportunity.Amount, aggregate Opportunity.Amount, /count=Opportunity.Name, /end=Opportunity.Amount, /for=Opportunity.Amount, /order=Opportunity.Amount"},
		{"SELECT Count, Format FROM Contact WHERE Max = 1 FOR UPDATE ALL ROWS", "filter Contact.Max, select Contact.Count, select Contact.Format"},
		{"SELECT Id FROM Opportunity WHERE Amount > USD5000.50 AND Probability = -1.5e2 AND IsWon = TRUE", "filter Opportunity.Amount, filter Opportunity.Probability, filter Opportunity.IsWon, select Opportunity.Id"},
	} {
		q, err := ParseQuery(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := asks(q); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestSearchNamesWhatItAsksAbout(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"FIND {Müßig} IN NAME FIELDS RETURNING Contact(Id, Name WHERE MailingCity = 'x' ORDER BY Phone LIMIT 5 OFFSET 1), Lead LIMIT 20", "search Contact.name fields, select Contact.Id, select Contact.Name, filter Contact.MailingCity, sort Contact.Phone, search Lead.name fields"},
		{`find {a\} \"b*} returning Contact(FORMAT(Birthdate) b), User(toLabel(Status)) with highlight with metadata='LABELS' with snippet(target_length=120) update viewstat`, "search Contact.all fields, select Contact.Birthdate, search User.all fields, select User.Status, contact/b=Contact.Birthdate, user/expr0=User.Status"},
	} {
		q, err := ParseSearch(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := asks(q); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefusedByItsPlace(t *testing.T) {
	for query, at := range map[string]int{
		"SELECT Id FROM Contact /* c */":                                         24,
		"SELECT Id FROM Contact -- c":                                            24,
		"SELECT Id FROM Contact // c":                                            24,
		`SELECT Id FROM Contact WHERE Name = "x"`:                                37,
		"SELECT Id FROM Contact WHERE Name = 'x":                                 37,
		`SELECT Id FROM Contact WHERE Name = 'ü\x'`:                              39,
		`SELECT Id FROM Contact WHERE Name = 'a\u0027b'`:                         39,
		`SELECT Id FROM Contact WHERE Name = 'a\u005C'`:                          39,
		"SELECT Id FROM Contact WHERE Name = :x":                                 37,
		"SELECT Id FROM Contact WHERE Name = Email":                              37,
		"SELECT Id FROM Contact WHERE Name":                                      34,
		"SELECT Id FROM Contact WHERE Name = 'a' AND":                            44,
		"SELECT Id FROM Contact WHERE REVERSE(Name) = 'a'":                       30,
		"SELECT Id FROM Contact WHERE Name = 'a')":                               40,
		"SELECT Id FROM Contact; SELECT Email FROM Contact":                      23,
		"SELECT * FROM Contact":                                                  8,
		"SELECT Id\u00a0FROM Contact":                                            10,
		"SELECT Id FROM Contact LIMIT -1":                                        30,
		"SELECT Id FROM Contact LIMIT 1 WHERE Name = 'a'":                        32,
		"SELECT Id FROM Contact SET OPTIONS (a = 1)":                             24,
		"SELECT Id FROM Contact, Account":                                        25,
		"SELECT Id FROM Contact c, x.Account a":                                  27,
		"SELECT Id FROM Contact Foo__r":                                          24,
		"SELECT Id FROM Contact USING SCOPE other":                               36,
		"SELECT Id FROM Contact WITH UserId = 'x'":                               29,
		"SELECT Id FROM Contact WITH DATA CATEGORY Geo__c AT x__c":               29,
		"SELECT MAX(Email) e, MIN(Phone) e FROM Contact":                         22,
		"SELECT FORMAT(Birthdate) Title, Title FROM Contact":                     33,
		"SELECT FIELDS(ALL), FORMAT(Birthdate) b FROM Contact":                   21,
		"SELECT COUNT(Id) attributes FROM Contact":                               8,
		"SELECT COUNT(Id) expr0, MAX(Email) FROM Contact":                        8,
		"SELECT COUNT(), Id FROM Contact":                                        32,
		"SELECT Id, (SELECT MAX(Email) FROM Contacts) FROM Account":              13,
		"SELECT Id, (SELECT Id FROM Contacts), (SELECT Id FROM contacts) FROM A": 40,
		"SELECT Id FROM Account WHERE Id IN (SELECT Id, Email FROM Contact)":     66,
		"SELECT Id FROM Account WHERE Id IN (SELECT MAX(Id) FROM Contact)":       64,
		"SELECT TYPEOF What WHEN Account THEN End, Name END FROM Event":          52,
		"SELECT TYPEOF What ELSE Name END FROM Event":                            30,
		"SELECT MAX(MIN(Email)) FROM Contact":                                    8,
		"SELECT Id FROM Contact WHERE CreatedDate = 2026-01-01T00:00:00 01:00":   44,
		"SELECT Id FROM Contact WHERE CreatedDate = LAST_N_DAYS":                 55,
		"SELECT Id FROM Contact GROUP BY COUNT(Id)":                              42,
		"UPDATE Contact": 1,
		"SELECT Id FROM Contact WHERE Name = '" + "\x01'":                   38,
		"SELECT Id FROM Contact WHERE " + strings.Repeat("(", 60) + "A = 1": 69,
		"SELECT " + strings.Repeat("FORMAT(", 60) + "A":                     0,
		"SELECT " + strings.Repeat("a.", 20) + "b FROM Contact":             0,
		"SELECT Id FROM Contact ORDER BY Name NULLS SOMEWHERE":              44,
		"SELECT Id FROM Contact WHERE Name LIKE 'a' ESCAPE 'b'":             44,
		"SELECT Id FROM Contact WHERE Name IN 'a'":                          38,
		"SELECT Id FROM Contact FOR VIEWING":                                28,
	} {
		_, err := ParseQuery(query)
		syntax, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%s: %v", query, err)
		} else if at > 0 && syntax.Position != at {
			t.Errorf("%s: at %d, want %d: %v", query, syntax.Position, at, err)
		}
	}
	for _, query := range []string{
		"FIND {a}", "FIND {a} RETURNING Contact, Contact", "FIND {a{b} RETURNING Contact", `FIND {"a} RETURNING Contact`, `FIND {a\x} RETURNING Contact`,
		"FIND 'a' RETURNING Contact", "FIND {a} IN OTHER FIELDS RETURNING Contact", "FIND {a} RETURNING Contact(Id USING LISTVIEW=Mine)",
		"FIND {a} RETURNING Contact(COUNT(Id))", "FIND {a} RETURNING Contact((SELECT Id FROM Tasks))", "FIND {a} RETURNING Contact WITH DATA CATEGORY a AT b",
		"FIND {a} RETURNING Contact LIMIT 5 OFFSET 2", "FIND {a} RETURNING Contact(Id) }", "SELECT Id FROM Contact",
	} {
		if _, err := ParseSearch(query); err == nil {
			t.Errorf("%s: let through", query)
		}
	}
}

func TestLeakRefusalsQuoteNothing(t *testing.T) {
	for _, query := range []string{"SELECT Id FROM Contact WHERE Email = 'canary@example.com' canary", "SELECT canary(Id) FROM Contact", "SELECT Id FROM Contact WHERE canary canary", "canary", "SELECT Id FROM Contact WHERE a = canary"} {
		_, err := ParseQuery(query)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestLeakTextsNeverShiftTheParse: whatever stands in a text, what is asked about
// stays the same, or the query is refused.
func TestLeakTextsNeverShiftTheParse(t *testing.T) {
	want := "filter Contact.LastName, filter Contact.Email, select Contact.Id"
	taken := 0
	for _, text := range []string{
		``, `O\'Dwyer`, `a\\`, `\\\'`, `\\\\`, `\" OR Phone = \"`, `a" OR Phone = "`, `/* `, `*/`, `-- `, `}`, `) OR (Phone != null`, `\n\R\t\b\f`, `50\%`, `a\_b`,
		`\u00e9`, `\u2019 OR Phone = \u2019`, "’ OR Phone = ’", "＇ OR Phone = ＇", "a\nb", `\u0027 OR Phone = \u0027`, `\u005c`, `\x27`, `\'\'`, `''`, `\`, `\\'`, `\u00`, "\x00", `\u000a`, `\0`,
	} {
		q, err := ParseQuery("SELECT Id FROM Contact WHERE LastName = '" + text + "' AND Email = 'x'")
		if err != nil {
			continue
		}
		if got := asks(q); got != want {
			t.Errorf("%q: %s", text, got)
		}
		taken++
	}
	if taken != 21 {
		t.Errorf("%d texts are taken, want 21", taken)
	}
}

func TestPartsOfAQueryStandAlone(t *testing.T) {
	q := Searching()
	if !q.Returning("Contact", "Name") || q.Returning("contact", "name") || q.Returning("Lead", "other") || q.Returning("a b", "all") {
		t.Error("Returning takes what it shouldn't")
	}
	if err := errors.Join(ParseFields(q, "Contact", "Id, FORMAT(Birthdate) b"), ParseFilter(q, "Contact", "Email = 'x' AND Phone != null"), ParseOrder(q, "Contact", "Fax DESC")); err != nil {
		t.Fatal(err)
	}
	want := "search Contact.name fields, select Contact.Id, select Contact.Birthdate, filter Contact.Email, filter Contact.Phone, sort Contact.Fax, contact/b=Contact.Birthdate"
	if got := asks(q); got != want {
		t.Errorf("got %s", got)
	}
	for _, s := range []string{"Email = 'x' ORDER BY Phone", "Email = 'x' LIMIT 1", ""} {
		if ParseFilter(q, "Contact", s) == nil {
			t.Errorf("%s: let through", s)
		}
	}
	if ParseOrder(q, "Contact", "Fax LIMIT 1") == nil || ParseFields(q, "Contact", "Id FROM Contact") == nil {
		t.Error("let through")
	}
}
