package soql

import (
	"slices"
	"strings"
	"testing"
)

func TestCOQLSaysWhatItAsks(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"select Last_Name, Account_Name.Owner.email from Contacts where ((Email like '%@x') and (Mobile is not null)) order by Date_of_Birth desc limit 5, 10", "filter Contacts.Email, filter Contacts.Mobile, select Contacts.Account_Name.Owner.email, select Contacts.Last_Name, sort Contacts.Date_of_Birth"},
		{"SELECT Industry, MAX(Annual_Revenue) AS top FROM Accounts WHERE id in ('1','2') GROUP BY Industry LIMIT 10 OFFSET 5", "aggregate Accounts.Annual_Revenue, filter Accounts.id, group Accounts.Industry, select Accounts.Annual_Revenue, select Accounts.Industry"},
		{"select id from Leads where A not between 1 and 5 or B not like 'x%' or C not in (1) and D = true", "filter Leads.A, filter Leads.B, filter Leads.C, filter Leads.D, select Leads.id"},
		{"select id from Leads where Created_Time >= 2026-01-01T00:00:00+02:00", "filter Leads.Created_Time, select Leads.id"},
		{"select count(*) from Leads", ""},
	} {
		q, err := ParseCOQL(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := sorted(q); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func sorted(q *Query) string {
	var list []string
	for _, r := range q.Refs {
		list = append(list, string(r.Role)+" "+r.From+"."+strings.Join(r.Path, "."))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func TestVTQLSaysWhatItAsks(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"select * from Contacts;", ""},
		{"select firstname, lastname from Contacts where email like '%@x' or phone in ('1','2') order by birthday desc, lastname limit 5, 10;", "filter Contacts.email, filter Contacts.phone, select Contacts.firstname, select Contacts.lastname, sort Contacts.birthday, sort Contacts.lastname"},
		{"SELECT count(*) FROM Leads WHERE lastname != 'x'", "filter Leads.lastname"},
	} {
		q, err := ParseVTQL(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := sorted(q); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestFlatRowsHoldWhatWasAskedFor(t *testing.T) {
	q, err := ParseCOQL("select Email as Title, Full_Name, Account_Name.Phone, max(Age), count(id) n from x")
	if err == nil {
		t.Fatalf("a name without AS: %+v", q.Rows[""])
	}
	if q, err = ParseCOQL("select Email as Title, Full_Name, Account_Name.Phone, max(Age), count(id) as n from x"); err != nil {
		t.Fatal(err)
	}
	l := q.Rows[""]
	for name, want := range map[string]string{"title": "Email", "account_name.phone": "Phone", "max(age)": "Age", "n": ""} {
		c, ok := l.Columns[name]
		got := ""
		if len(c.Fields) > 0 {
			got = c.Fields[0].Path[len(c.Fields[0].Path)-1]
		}
		if !ok || got != want {
			t.Errorf("%s: %v %q", name, ok, got)
		}
	}
	if !l.Fields["full_name"] || l.Fields["email"] || len(l.Fields) != 1 || !l.Grouped {
		t.Errorf("%+v", l)
	}
}

func TestFlatQueriesThatAreNotUnderstoodAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "select", "select a", "select a from", "select from x", "select a b from x", "select a, from x", "select a from x y",
		"select a from x where", "select a from x where b", "select a from x where b = c", "select a from x where b = 'O''Dwyer'", `select a from x where b = 'O\'Dwyer'`,
		"select a from x where b = \"y\"", "select a from x where 'b' = 'y'", "select 'a' from x", "select a from x where b = 'y' limit", "select a from x limit -1",
		"select a from x -- b", "select a from x /* b */", "select a from x; select b from y;", "select a.* from x", "select upper(a) from x", "select a from x where upper(b) = 'Y'",
		"select a from x where b in (select c from y)", "select a from (select b from y)", "select a from x, y", "select a from x join y", "select distinct a from x",
		"select a from x where not (b = 1)", "select a from x order by 1", "select a from x order by b limit 5 offset", "select a from x where b = 'y", "select where from x",
		"select a, a as a from x", "select max(a), max(a) from x", "select a from x where b = 'y'and c",
	} {
		for name, parse := range map[string]func(string) (*Query, error){"COQL": ParseCOQL, "VTQL": ParseVTQL} {
			if q, err := parse(s); err == nil {
				t.Errorf("%s is read as %s: %s", s, name, sorted(q))
			}
		}
	}
	for _, s := range []string{
		"select a.b from x", "select max(a) from x", "select count(a) from x", "select a as b from x", "select a from x where (b = 1)", "select a from x where b is null",
		"select a from x where b not in (1)", "select a from x group by a", "select a from x where b = null", "select *, a from x", "select a, * from x",
	} {
		if q, err := ParseVTQL(s); err == nil {
			t.Errorf("%s is read: %s", s, sorted(q))
		}
	}
	for _, s := range []string{"select * from x", "select a from x;"} {
		if q, err := ParseCOQL(s); err == nil {
			t.Errorf("%s is read: %s", s, sorted(q))
		}
	}
}

// FuzzCOQL: what flatProperty says.
func FuzzCOQL(f *testing.F) {
	flatSeeds(f)
	f.Fuzz(func(t *testing.T, s string) { flatProperty(t, s, ParseCOQL) })
}

// FuzzVTQL: what flatProperty says.
func FuzzVTQL(f *testing.F) {
	flatSeeds(f)
	f.Fuzz(func(t *testing.T, s string) { flatProperty(t, s, ParseVTQL) })
}

func flatSeeds(f *testing.F) {
	for _, s := range []string{
		"select Last_Name, Account_Name.Owner.email from Contacts where ((Email like '%@x') and (Mobile is not null)) order by Date_of_Birth desc limit 5, 10",
		"SELECT Industry, MAX(Annual_Revenue) AS top FROM Accounts WHERE id in ('1','2') GROUP BY Industry LIMIT 10 OFFSET 5",
		"select id from Leads where A not between 1 and 5 or B not like 'x%' or C not in (1) and D = true",
		"select * from Contacts;", "select count(*) from Leads where lastname != '' order by a, b desc limit 5;", "select a from b where c = 'x''y'",
	} {
		f.Add(s)
	}
}

// flatProperty: nothing makes a reader panic, what it refuses is a SyntaxError, and no
// name of a query that is let through is lost.
func flatProperty(t *testing.T, s string, parse func(string) (*Query, error)) {
	t.Helper()
	q, err := parse(s)
	syntaxError(t, err)
	if err != nil {
		return
	}
	noNameLost(t, s, q)
	for _, l := range q.Rows {
		for name := range l.Columns {
			if l.Fields[name] {
				t.Fatalf("%q: %s is a field and a column", s, name)
			}
		}
	}
}
