package desk

import (
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/transfer"
)

// registerGap says what is missing of a register, false for what isn't one's.
func registerGap(what string) (page.Text, bool) {
	base, contact := strings.CutSuffix(what, "_contact")
	if contact {
		w := fieldWord(base)
		return page.Text{DE: w.DE + ": wie erreichbar", EN: w.EN + ": how to reach them"}, true
	}
	w, ok := map[string]page.Text{
		"controller":           {DE: "Verantwortlicher mit Kontaktdaten (Art. 30 Abs. 1 lit. a)", EN: "Controller, with contact (Art. 30 (1) a)"},
		"dpo":                  {DE: "Datenschutzbeauftragte mit Kontaktdaten, oder warum es keine gibt", EN: "Data protection officer, with contact, or why there is none"},
		"responsible":          {DE: "Wer im Haus für das System zuständig ist", EN: "Who answers for the system in the house"},
		"system":               {DE: "Wie das System heißt", EN: "What the system is called"},
		"purposes":             {DE: "Zwecke der Verarbeitung und ihre Rechtsgrundlagen (lit. b)", EN: "Purposes of the processing, with their legal bases (b)"},
		"special_basis":        {DE: "Rechtsgrundlage nach Art. 9 Abs. 2 für besondere Kategorien", EN: "Legal basis of Art. 9 (2) for special categories"},
		"subjects":             {DE: "Kategorien betroffener Personen (lit. c)", EN: "Categories of data subjects (c)"},
		"erasure":              {DE: "Löschfristen der Daten im CRM (lit. f)", EN: "Periods for erasure of the data in the CRM (f)"},
		"own_measures":         {DE: "Weitere technische und organisatorische Maßnahmen (lit. g)", EN: "Further technical and organisational measures (g)"},
		"location":             {DE: "In welchem Land die Daten sind, und worauf eine Übermittlung in ein Drittland beruht (lit. e)", EN: "In which country the data are, and what a transfer to a third country rests on (e)"},
		"processor":            {DE: "Wer es betreibt, und der Vertrag (Art. 28)", EN: "Who runs it, and the contract (Art. 28)"},
		"contract":             {DE: "Vertrag mit dem Betreiber (Art. 28)", EN: "Contract with who runs it (Art. 28)"},
		"recipient_purpose":    {DE: "Wofür der Empfänger Daten bekommt", EN: "What the recipient gets data for"},
		transfer.Expired:       {DE: "Der Angemessenheitsbeschluss ist abgelaufen: prüfen, ob er verlängert wurde", EN: "The adequacy decision has run out: look whether it was renewed"},
		transfer.Expiring:      {DE: "Der Angemessenheitsbeschluss läuft bald ab", EN: "The adequacy decision runs out soon"},
		transfer.Old:           {DE: "Die Tabelle der Angemessenheitsbeschlüsse ist älter als ein Jahr: die Liste der Kommission ansehen", EN: "The table of adequacy decisions is older than a year: look at the Commission's list"},
		transfer.Exception:     {DE: "Eine Übermittlung beruht auf einer Ausnahme (Art. 49): die gilt für einzelne Fälle", EN: "A transfer rests on a derogation (Art. 49), which is for single cases"},
		"upstream_unknown":     {DE: "Wohin die Site weiterleitet: steht nicht fest in der Konfiguration", EN: "Where the site forwards to: it isn't fixed in the configuration"},
		"version_not_kept_yet": {DE: "Diese Fassung steht noch nicht im Protokoll", EN: "The log doesn't hold this version yet"},
	}[what]
	return w, ok
}

// registerField names a field of the register's lines, false for another.
func registerField(f string) (page.Text, bool) {
	w, ok := map[string]page.Text{
		"system":            {DE: "Name des Systems", EN: "Name of the system"},
		"controller":        {DE: "Verantwortlicher", EN: "Controller"},
		"joint_controller":  {DE: "Gemeinsam Verantwortlicher", EN: "Joint controller"},
		"representative":    {DE: "Vertreter in der EU", EN: "Representative in the EU"},
		"dpo":               {DE: "Datenschutzbeauftragte", EN: "Data protection officer"},
		"responsible":       {DE: "Zuständig im Haus", EN: "Answers for it in the house"},
		"purpose":           {DE: "Zweck", EN: "Purpose"},
		"subjects":          {DE: "Betroffene Personen", EN: "Data subjects"},
		"erasure":           {DE: "Löschfrist", EN: "Period for erasure"},
		"stated_measure":    {DE: "Weitere Maßnahme", EN: "Further measure"},
		"measure":           {DE: "Maßnahme des Gateways", EN: "Measure of the gateway"},
		"kept_at":           {DE: "System oder Empfänger", EN: "System or recipient"},
		"operator":          {DE: "Betreiber", EN: "Run by"},
		"contract":          {DE: "Vertrag", EN: "Contract"},
		"recipient_purpose": {DE: "Wofür", EN: "What for"},
		"location":          {DE: "Land", EN: "Country"},
		"transfer":          {DE: "Grundlage der Übermittlung", EN: "Basis of the transfer"},
		"setting":           {DE: "Einstellung", EN: "Setting"},
		"served":            {DE: "Weg zur Site", EN: "Way to the site"},
		"way":               {DE: "Weg zum CRM", EN: "Way to the CRM"},
		"around":            {DE: "Weg am Gateway vorbei", EN: "Way around the gateway"},
	}[f]
	return w, ok
}

// ofWord says what a purpose or a period is about.
func ofWord(of string) page.Text {
	if of == "*" {
		return page.Text{DE: "alle Arten von Datensätzen", EN: "all kinds of records"}
	}
	if c, ok := strings.CutPrefix(of, report.CategoryOf); ok {
		w := categoryWord(access.Category(c))
		return page.Text{DE: "Art von Daten: " + w.DE, EN: "kind of data: " + w.EN}
	}
	return page.Text{DE: of, EN: of}
}

// basisWord is a legal basis as lawyers write it.
func basisWord(b string) page.Text {
	if b == "88" {
		return page.Text{DE: "Art. 88 DSGVO, § 26 BDSG (Beschäftigung)", EN: "Art. 88 GDPR (employment)"}
	}
	if len(b) != 2 || b[0] != '6' && b[0] != '9' {
		return page.Text{DE: b, EN: b}
	}
	paragraph := map[byte]string{'6': "1", '9': "2"}[b[0]]
	w := map[string]page.Text{
		"6a": {DE: "Einwilligung", EN: "consent"}, "6b": {DE: "Vertrag", EN: "contract"}, "6c": {DE: "rechtliche Verpflichtung", EN: "legal obligation"},
		"6d": {DE: "lebenswichtige Interessen", EN: "vital interests"}, "6e": {DE: "öffentliche Aufgabe", EN: "public task"},
		"6f": {DE: "berechtigte Interessen", EN: "legitimate interests"}, "9a": {DE: "ausdrückliche Einwilligung", EN: "explicit consent"},
	}[b]
	t := page.Text{DE: "Art. " + b[:1] + " Abs. " + paragraph + " lit. " + b[1:] + " DSGVO", EN: "Art. " + b[:1] + " (" + paragraph + ") " + b[1:] + " GDPR"}
	if w.DE != "" {
		t.DE, t.EN = t.DE+" ("+w.DE+")", t.EN+" ("+w.EN+")"
	}
	return t
}

// placeWord is a country, with what lets data be there.
func placeWord(p transfer.Place) page.Text {
	t := page.Text{DE: transfer.Name(p.Country, "de") + " (" + p.Country + ")", EN: transfer.Name(p.Country, "en") + " (" + p.Country + ")"}
	in := func(de, en string) { t.DE, t.EN = t.DE+": "+de, t.EN+": "+en }
	switch d := p.Decision; {
	case p.Area == transfer.EU:
		in("in der EU", "in the EU")
	case p.Area == transfer.EEA:
		in("im EWR", "in the EEA")
	case d != nil:
		de, en := "Angemessenheitsbeschluss "+germanAct(d.Act), "adequacy decision "+d.Act
		if d.Until != "" {
			de, en = de+", bis "+dateWord(d.Until).DE, en+", until "+dateWord(d.Until).EN
		}
		if d.Scope != "" {
			de, en = de+" ("+d.ScopeDE+")", en+" ("+d.Scope+")"
		}
		in(de, en)
	default:
		in("Drittland ohne Angemessenheitsbeschluss", "third country without an adequacy decision")
	}
	return t
}

// germanAct is an act as German lawyers write it.
func germanAct(act string) string {
	number, renewed, ok := strings.Cut(act, ", renewed on ")
	number = strings.TrimSuffix(number, "/EC")
	if number != act && !ok && strings.HasSuffix(act, "/EC") {
		number += "/EG"
	}
	if ok {
		return number + ", verlängert am " + dateWord(renewed).DE
	}
	return number
}

// dateWord is a day, 2026-12-31, as people write it.
func dateWord(d string) page.Text {
	t, err := time.Parse(time.DateOnly, d)
	if err != nil {
		return page.Text{DE: d, EN: d}
	}
	return day(t)
}

// transferWord says what a transfer rests on.
func transferWord(t transfer.Transfer) page.Text {
	switch t.Basis {
	case transfer.DPF:
		return page.Text{DE: "Data Privacy Framework, zertifiziert: " + t.Recipient + "; " + t.Reference, EN: "Data Privacy Framework, certified: " + t.Recipient + "; " + t.Reference}
	case transfer.SCC:
		n := strconv.Itoa(t.Module)
		return page.Text{
			DE: "Standardvertragsklauseln (EU) 2021/914, Modul " + n + ", vom " + dateWord(t.Date).DE + "; " + t.Reference,
			EN: "standard contractual clauses (EU) 2021/914, module " + n + ", of " + dateWord(t.Date).EN + "; " + t.Reference,
		}
	case transfer.BCR:
		return page.Text{DE: "verbindliche interne Datenschutzvorschriften (Art. 47); " + t.Reference, EN: "binding corporate rules (Art. 47); " + t.Reference}
	case transfer.Derogation:
		return page.Text{DE: "Ausnahme nach Art. 49 Abs. 1 lit. " + t.Case + "; " + t.Reference, EN: "derogation of Art. 49 (1) " + t.Case + "; " + t.Reference}
	}
	return page.Text{DE: t.Reference, EN: t.Reference}
}

// systemWord names a system.
func systemWord(kind, name string) page.Text {
	w := map[string]page.Text{
		report.SystemCRM: {DE: "CRM", EN: "CRM"}, report.SystemGateway: {DE: "Gateway mit Protokoll", EN: "Gateway with the log"},
		report.SystemStore: {DE: "Datenbank der Sitzungen und des Protokolls", EN: "Database of sessions and log"}, report.SystemProvider: {DE: "Anmeldedienst", EN: "Identity provider"},
		report.SystemSink: {DE: "Weitergabe des Protokolls", EN: "Sink of the log"}, report.SystemMachine: {DE: "Maschine", EN: "Machine"},
		report.SystemRecipient: {DE: "Empfänger", EN: "Recipient"}, report.SystemMail: {DE: "Mailserver der Einwilligungen", EN: "Mail server of consents"},
	}[kind]
	if w.DE == "" {
		w = page.Text{DE: kind, EN: kind}
	}
	if name != "" {
		w.DE, w.EN = w.DE+" "+name, w.EN+" "+name
	}
	return w
}

// protectionWord says how a way is protected.
func protectionWord(p string) page.Text {
	switch p {
	case report.Protected:
		return page.Text{DE: "verschlüsselt, Zertifikat geprüft", EN: "encrypted, certificate checked"}
	case report.ByProxy:
		return page.Text{DE: "hinter einem vertrauten Proxy, der https spricht", EN: "behind a trusted proxy that speaks https"}
	case report.LocalOnly:
		return page.Text{DE: "nur auf diesem Rechner", EN: "on this machine alone"}
	case report.InClear:
		return page.Text{DE: "im Klartext", EN: "in clear text"}
	case report.Unverified:
		return page.Text{DE: "verschlüsselt, aber das Zertifikat wird nicht geprüft", EN: "encrypted, but the certificate isn't checked"}
	case report.UnknownWays:
		return page.Text{DE: "nicht zu erkennen", EN: "can't be seen"}
	}
	return page.Text{DE: p, EN: p}
}

// measureWord says what the gateway enforces.
func measureWord(what string) page.Text {
	word, rest, _ := strings.Cut(what, " ")
	w, ok := map[string]page.Text{
		"logged_before":    {DE: "Jeder Zugriff steht im Protokoll, bevor er weitergeleitet, und jede Antwort, bevor sie gezeigt wird", EN: "Each access is in the log before it is forwarded, each answer before it is shown"},
		"log_signed":       {DE: "Das Protokoll ist ein Hash-Baum mit unterschriebenen Prüfpunkten; eine Änderung fällt auf", EN: "The log is a hash tree with signed checkpoints; a change is noticed"},
		"sealed_at_rest":   {DE: "Protokoll und Sitzungen sind verschlüsselt gespeichert; Beschäftigte stehen als Pseudonym da", EN: "Log and sessions are stored encrypted; employees stand there as pseudonyms"},
		"witness":          {DE: "Prüfpunkte werden gegengezeichnet", EN: "Checkpoints are countersigned"},
		"witnesses":        {DE: "Wie viele Gegenzeichnungen", EN: "How many have to countersign"},
		"anchor":           {DE: "Prüfpunkte werden bekannt gemacht", EN: "Checkpoints are made known"},
		"second_factor":    {DE: "Ohne zweiten Faktor keine Sitzung", EN: "No session without a second factor"},
		"sessions_end":     {DE: "Sitzungen enden", EN: "Sessions end"},
		"sessions_limited": {DE: "Sitzungen je Person begrenzt", EN: "Sessions of one person are limited"},
		"masked_by_role":   {DE: "Jede Rolle sieht nur, was das Regelwerk ihr zeigt; alles andere ist maskiert", EN: "Each role sees what the policy shows it; all else is masked"},
		"unknown_refused":  {DE: "Was das Profil nicht kennt, wird abgelehnt oder maskiert", EN: "What the profile doesn't know is refused or masked"},
		"observes_only":    {DE: "Nur beobachtet: Maskierung und Ablehnung sind ausgesetzt", EN: "Only observed: nothing is masked or refused"},
		"step_up":          {DE: "Erneute oder stärkere Anmeldung für", EN: "A fresh or stronger sign-in for"},
		"forbid":           {DE: "Nicht in freie Texte einzugeben", EN: "Not to be entered into free texts"},
		"flag":             {DE: "In freien Texten vermerkt", EN: "Noted in free texts"},
		"rules_known":      {DE: "Die Hausregeln sind gelesen, bevor das CRM sich öffnet", EN: "The house's rules are read before the CRM opens"},
		"reveal":           {DE: "Ein maskierter Wert wird nur mit Begründung und auf Zeit aufgedeckt", EN: "A masked value is revealed for a reason and a while only"},
		"consent_asked":    {DE: "Einwilligungen werden doppelt bestätigt eingeholt (Double-Opt-in) und nachgewiesen", EN: "Consents are asked for by double opt-in, and proven"},
		"overdue_masked":   {DE: "Überfällige Datensätze sind maskiert, außer für", EN: "Overdue records are masked, but for"},
		"overdue_deleted":  {DE: "Überfällige Datensätze löschen zwei Personen gemeinsam; es stimmen zu", EN: "Overdue records are deleted by two people together; consent give"},
		"canary":           {DE: "Lockdatensätze lösen Alarm aus", EN: "Canary records raise an alarm"},
		"links":            {DE: "Links, die vortäuschen, eine bekannte Adresse zu sein, lösen Alarm aus", EN: "Links that pretend to be a known address raise an alarm"},
		"second_person":    {DE: "Einsicht in eine Person nur mit Zustimmung einer zweiten", EN: "Looks at one person take a second one's consent"},
	}[word]
	if !ok {
		return page.Text{DE: what, EN: what}
	}
	if rest != "" {
		w.DE, w.EN = w.DE+": "+rest, w.EN+": "+rest
	}
	return w
}
