package gate_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// leaksInFiles hide values in files (66 to 72).
func leaksInFiles() []leak {
	const mail = leakMail
	csv := func(media, body string) try { return getting("/export.csv", typed(media, 200, body)) }
	return []leak{
		{66, "csv", masked, "separator, quotes, byte order mark and headers are read as the profile says; an unknown column is masked", []try{
			csv("text/csv; charset=utf-8", "Nr.;Name;E-Mail\r\n7;Erika;"+leakMail+"\r\n"), csv("text/csv", "\ufeffNr.;Name;\"E-Mail\"\r\n7;\"Mustermann, \"\"E\"\"\nx\";\""+leakMail+"\"\r\n"),
			csv("text/csv", "Nr.;Name;E-Mail;E-Mail\n7;Erika;x;"+leakMail+"\n"),
			csv("text/csv", "Nr.;Mail privat;Telefon\n7;"+leakMail+";"+leakPhone+"\n"),
			csv("text/csv", "Nr.;"+leakMail+";Telefon\n7;x;1\n"),
		}},
		{66, "csv-without-header", withheld, "rows that don't fit the header are refused", []try{
			csv("text/csv", "Nr.;Name\n7;Erika;"+leakMail+"\n"), csv("text/csv", "7;Erika;"+leakMail+"\n8;Max;x\n"), csv("text/csv", "Export "+leakMail+"\n"),
		}},
		{67, "xlsx", masked, "a new workbook is made of the first visible sheet's masked cells: nothing else of the old one stays", leaksInWorkbooks()},
		{67, "xlsx-unread", withheld, "a workbook that can't be read, or of which no column is known", []try{
			getting("/export.xlsx", typed(xlsxType, 200, "PK\x03\x04"+mail)), getting("/export.xlsx", typed("text/csv", 200, "Nr.;Name\n7;"+mail+"\n")),
			getting("/export.xlsx", typed(xlsxType, 200, workbook(func(f *excelize.File) {
				f.SetSheetRow("Sheet1", "A1", &[]any{"Export für " + mail, "a", "b", "c", "d", "e"})
			}))),
		}},
		{67, "xlsx-elsewhere", withheld, "on a route of another type archives are refused", []try{csv(xlsxType, workbook(nil)), csv("text/csv", workbook(nil))}},
		{68, "pdf", withheld, "documents can't be masked: they are for who sees everything in them", []try{csv("application/pdf", "%PDF-1.7 "+mail)}},
		{68, "file", asked, "as 68", []try{{ask: ask{path: "/files/7"}, crm: typed("application/pdf", 200, "%PDF-1.7 "+mail)}}},
		{69, "webdav", shut, "other methods are unknown", []try{{ask: ask{method: "PROPFIND", path: "/people/7"}}, {ask: ask{method: "REPORT", path: "/people/7"}}}},
		{70, "attachment", asked, "files are for who sees everything in them", []try{{ask: ask{path: "/files/8"}, crm: typed("text/plain", 200, mail)}}},
		{70, "file-name", masked, "names of files are searched for the answer's values", []try{
			getting("/export.csv", named(`attachment; filename="`+leakMail+`.csv"`)), getting("/export.csv", named(`attachment; filename*=UTF-8''erika.mustermann%40kanarien.example.csv`)),
		}},
		{71, "archive", shut, "backups are unknown routes", []try{getting("/backup.zip", typed("application/zip", 200, "PK\x03\x04"+mail))}},
		{72, "export", masked, "exports are masked like lists", []try{
			csv("text/csv", "Nr.;Name;E-Mail;Notiz\n7;Erika;"+leakMail+";"+leakNote+"\n"), getting("/stream", jsonAnswer(200, "["+person+"]")),
			getting("/rows.csv", typed("text/csv", 200, "Nr.;Name;E-Mail;Notiz\n7;Erika;"+leakMail+";"+leakNote+"\n")),
		}},
	}
}

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// workbook is an export of the person; change adds to it.
func workbook(change func(*excelize.File)) string {
	f := excelize.NewFile()
	defer f.Close()
	err := errors.Join(
		f.SetSheetRow("Sheet1", "A1", &[]any{"Nr.", "Name", "E-Mail", "Telefon", "Geboren", "Notiz"}),
		f.SetSheetRow("Sheet1", "A2", &[]any{7, "Erika Mustermann", leakMail, leakPhone, leakBorn, leakNote}),
	)
	if change != nil {
		change(f)
	}
	var out bytes.Buffer
	if err := errors.Join(err, f.Write(&out)); err != nil {
		panic(err)
	}
	return out.String()
}

// leaksInWorkbooks hide values in every place that a workbook has for one.
func leaksInWorkbooks() []try {
	var tries []try
	for _, change := range []func(*excelize.File){
		nil,
		func(f *excelize.File) { f.SetSheetRow("Sheet1", "A1", &[]any{"Nr.", "Name", "Mail privat", "Neu"}) },
		func(f *excelize.File) { f.SetCellStr("Sheet1", "H9", leakMail) },
		func(f *excelize.File) { f.SetCellStr("Sheet1", "A3", "Erika <"+leakMail+">") },
		func(f *excelize.File) { f.SetCellFormula("Sheet1", "G2", `CONCAT("`+leakMail+`")`) },
		func(f *excelize.File) {
			f.SetCellRichText("Sheet1", "G2", []excelize.RichTextRun{{Text: leakMail[:5]}, {Text: leakMail[5:], Font: &excelize.Font{Bold: true}}})
		},
		func(f *excelize.File) { f.SetCellValue("Sheet1", "E2", time.Date(1959, 7, 13, 0, 0, 0, 0, time.UTC)) },
		func(f *excelize.File) { f.SetColVisible("Sheet1", "C", false); f.SetRowVisible("Sheet1", 2, false) },
		func(f *excelize.File) {
			f.AddComment("Sheet1", excelize.Comment{Cell: "A1", Author: leakMail, Text: leakNote})
		},
		func(f *excelize.File) {
			f.SetDocProps(&excelize.DocProperties{Creator: leakMail, Description: leakNote})
		},
		func(f *excelize.File) {
			f.SetHeaderFooter("Sheet1", &excelize.HeaderFooterOptions{OddHeader: leakMail})
		},
		func(f *excelize.File) { f.SetCellHyperLink("Sheet1", "A2", "mailto:"+leakMail, "External") },
		func(f *excelize.File) {
			f.SetDefinedName(&excelize.DefinedName{Name: "x", RefersTo: "Sheet1!$A$1", Comment: leakMail})
		},
		func(f *excelize.File) {
			f.NewSheet("zwei")
			f.SetSheetRow("zwei", "A1", &[]any{leakMail, leakPhone, leakNote})
			f.SetSheetVisible("zwei", false)
		},
		func(f *excelize.File) {
			v := excelize.NewDataValidation(true)
			v.SetRange(1, 2, excelize.DataValidationTypeWhole, excelize.DataValidationOperatorBetween)
			v.SetInput(leakMail, leakNote)
			v.Sqref = "A1:A9"
			f.AddDataValidation("Sheet1", v)
		},
	} {
		tries = append(tries, getting("/export.xlsx", typed(xlsxType, http.StatusOK, workbook(change))))
	}
	return tries
}

// named is an export with a name of its own.
func named(disposition string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", disposition)
		typed("text/csv", 200, "Nr.;Name;E-Mail\n7;Erika;"+leakMail+"\n")(w, r)
	}
}

// leaksAround hide values around the body (73 to 84).
func leaksAround() []leak {
	mail, old := leakMail, `{"changes":[{"field":"email","old":"`+leakMail+`","new":"x"}]}`
	return []leak{
		{73, "address-header", checked, "an address that leads elsewhere, or repeats a value, isn't handed on", []try{
			{ask: ask{path: "/people/7"}, crm: withHeader(person, "Location", "/people?email="+mail, "Link", "</people?email="+mail+">; rel=next", "Refresh", "0; url=/?"+mail, "Content-Location", "/people/"+mail), check: without("Link", "Refresh", "Content-Location")},
			{ask: ask{path: "/people/7"}, crm: redirect("/people?email=" + mail)},
		}},
		{74, "other-header", checked, "the answer's headers are a list of allowed ones", []try{
			{ask: ask{path: "/people/7"}, crm: withHeader(person, "X-User-Email", mail, "Server-Timing", `db;desc="`+mail+`"`, "Sourcemap", "/"+mail, "X-Debug", mail, "Warning", `199 - "`+mail+`"`), check: both(status(200), without("X-User-Email", "Server-Timing", "Sourcemap", "X-Debug", "Warning"))},
		}},
		{75, "referer", checked, "masked answers say that their address stays here", []try{{ask: ask{path: "/people/7"}, check: has("Referrer-Policy", "same-origin")}}},
		{76, "error-text", withheld, "error texts that may quote a value are withheld", []try{
			getting("/people/7", jsonAnswer(500, `{"error":"Duplicate entry '`+mail+`'","trace":["at x(`+mail+`)"]}`)), getting("/people/7", typed("text/html", 500, "<pre>"+mail)),
			getting("/people/7", typed("text/plain", 404, mail)), getting("/page/7", typed("text/html; charset=utf-8", 422, "<p>"+mail)),
		}},
		{77, "metadata", shut, "descriptions, bundles of texts and debug pages are unknown routes", []try{getting("/metadata", nil), getting("/_profiler", nil), getting("/users", nil)}},
		{78, "history", shut, "as 77, until a profile says how changes stand there", []try{getting("/people/7/history", jsonAnswer(200, old))}},
		{78, "change-in-a-record", masked, "what isn't known is masked", []try{getting("/people/7", jsonAnswer(200, old))}},
		{79, "mirrored-value", masked, "a masked value is searched in the whole answer, in every notation", []try{
			getting("/people/7", jsonAnswer(200, `{"id":7,"email":"`+mail+`","label":"Erika <`+strings.ToUpper(mail)+`>"}`)),
			getting("/people/7", jsonAnswer(200, `{"id":7,"phone":"`+leakPhone+`","iban":"`+leakIBAN+`","label":"Tel. 0151/234 567-89, DE89 3704 0044 0532 0130 00"}`)),
			getting("/people", jsonAnswer(200, `{"list":[{"id":7,"label":"`+mail+`"},`+person+`]}`)), getting("/people/7", jsonAnswer(200, `{"id":7,"note":"`+leakNote+`","url":"/n/kanarienvogel-im-wohnzimmer"}`)),
		}},
		{80, "free-text", masked, "free text is hidden whole unless the policy shows it", []try{getting("/people/7", jsonAnswer(200, `{"id":7,"note":"Tel. `+leakPhone+`, `+mail+`"}`))}},
		{81, "telling-id", masked, "an address that repeats a masked value is masked", []try{getting("/people/7", jsonAnswer(200, `{"id":7,"email":"`+mail+`","url":"/people/erika.mustermann%40kanarien.example"}`))}},
		{82, "forwarding-rule", shut, "hooks, keys and rules are unknown routes", []try{posting("/webhooks", `{"url":"https://x.example"}`), posting("/oauth/applications", `{}`)}},
		{83, "mail-from-the-server", beyond, "what the CRM sends by itself doesn't pass the gateway", nil},
		{84, "around-the-gate", beyond, "another way to the CRM has to be closed in the network; the start check sees the ways within Caddy", nil},
	}
}
