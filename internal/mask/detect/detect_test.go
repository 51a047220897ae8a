package detect

import (
	"slices"
	"strings"
	"testing"
)

// found lists the hits as kind:text.
func found(d *Detector, text string) []string {
	list := []string{}
	for _, h := range d.Find(text) {
		list = append(list, string(h.Kind)+":"+text[h.Start:h.End])
	}
	return list
}

func check(t *testing.T, cases map[string][]string) {
	t.Helper()
	d := New(Options{})
	for text, want := range cases {
		if got := found(d, text); !slices.Equal(got, want) {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}

func TestContactDataIsFound(t *testing.T) {
	check(t, map[string][]string{
		"Bitte an erika@web.de senden.":                    {"email:erika@web.de"},
		"<Erika.Mustermann+crm@mail.beispiel.de>,":         {"email:Erika.Mustermann+crm@mail.beispiel.de"},
		"mailto:j.o'neil@example.org?subject=x":            {"email:j.o'neil@example.org"},
		"müller@österreich.at und max@web.de.":             {"email:müller@österreich.at", "email:max@web.de"},
		"erika1971@web.de":                                 {"email:erika1971@web.de"},
		"01701234567@handy.example":                        {"email:01701234567@handy.example"},
		"erika (at) web.de":                                {"email:erika (at) web.de"},
		"erika[at]web[dot]de":                              {"email:erika[at]web[dot]de"},
		"erika @ web.de":                                   {"email:erika @ web.de"},
		"bounces+erika=web.de@liste.example":               {"email:bounces+erika=web.de@liste.example"},
		`"erika muster"@web.de`:                            {`email:"erika muster"@web.de`},
		"npm i paket@1.2.3, icon@2x.png, @handle, a @ b":   {},
		"Tel. +49 30 23125 017":                            {"phone:+49 30 23125 017"},
		"+49 (0)30 / 23125-017 anrufen":                    {"phone:+49 (0)30 / 23125-017"},
		"(030) 23125017, dann (+49) 171 2345678":           {"phone:(030) 23125017", "phone:(+49) 171 2345678"},
		"0171-2345678 / 030 23125017":                      {"phone:0171-2345678", "phone:030 23125017"},
		"0041 44 668 18 00":                                {"phone:0041 44 668 18 00"},
		"Wien: 01 5880010, Mobil 0664 1234567":             {"phone:0664 1234567"},
		"Tel.: 23125-017":                                  {"phone:23125-017"},
		"Tel 030 23125017 12.03.2026 14:30 Uhr":            {"phone:030 23125017"},
		"Rückruf 0171 2345678 um 14:30":                    {"phone:0171 2345678"},
		"telefonisch am 03.04.2026 von 08.00-17.00 Uhr":    {},
		"Bestellnummer 0301234567, Auftrag 0171-2345678":   {},
		"Bestellung 4711, Tel. 030 23125017":               {"phone:030 23125017"},
		"1753868400 2026-03-14T09:26:53 3,14 0,5 1.030,12": {},
		"Server 192.168.178.20 und fe80::1ff:fe23:4567:890a": {
			"ip:192.168.178.20", "ip:fe80::1ff:fe23:4567:890a",
		},
		"Version 1.2.3.4, v10.0.19.45, Kapitel 3.2.1.1, IP 10.1.2.3": {"ip:10.1.2.3"},
		"std::vector a::b 12:30:45 1.2.3.4.5":                        {},
	})
}

func TestNumbersOfBanksAreFound(t *testing.T) {
	check(t, map[string][]string{
		"DE89370400440532013000":                                {"iban:DE89370400440532013000"},
		"IBAN: DE89 3704 0044 0532 0130 00, BIC COBADEFFXXX":    {"iban:DE89 3704 0044 0532 0130 00", "bic:COBADEFFXXX"},
		"de89-3704-0044-0532-0130-00 bei DEUTDEFF":              {"iban:de89-3704-0044-0532-0130-00", "bic:DEUTDEFF"},
		"AT61 1904 3002 3457 3201 / CH93 0076 2011 6238 5295 7": {"iban:AT61 1904 3002 3457 3201", "iban:CH93 0076 2011 6238 5295 7"},
		"DE88370400440532013000":                                {},
		"IBAN (mit Tippfehler): DE88 3704 0044 0532 0130 00 ok": {"iban:DE88 3704 0044 0532 0130 00"},
		"RECHNUNG und KATALOGE im VERKAUFSAMT":                  {},
		"SWIFT-Code: BYLADEM1001":                               {"bic:BYLADEM1001"},
		"4111 1111 1111 1111":                                   {"card:4111 1111 1111 1111"},
		"Visa 4111111111111111, Amex 3782 822463 10005":         {"card:4111111111111111", "card:3782 822463 10005"},
		"4111 1111 1111 1112 Auftrag 4111111111111111":          {},
		"Kreditkarte 4111 1111 1111 1112":                       {"card:4111 1111 1111 1112"},
	})
}

func TestOfficialNumbersAreFound(t *testing.T) {
	check(t, map[string][]string{
		"Steuer-ID: 65929970489":                         {"steuer_id:65929970489"},
		"IdNr. 65 929 970 489 liegt vor":                 {"steuer_id:65 929 970 489"},
		"65929970489":                                    {},
		"65929970489 (Steuer-ID)":                        {"steuer_id:65929970489"},
		"Steuer-ID folgt; Auftrag 65929970489":           {},
		"USt-IdNr. DE136695976, ATU13585627":             {"ust_id:DE136695976", "ust_id:ATU13585627"},
		"CHE-100.155.212 MWST":                           {"ust_id:CHE-100.155.212"},
		"DE136695977":                                    {},
		"VAT FR40303265045":                              {"ust_id:FR40303265045"},
		"15070649C103 und 65 170839 J 003":               {"rvnr:15070649C103", "rvnr:65 170839 J 003"},
		"15070649C104":                                   {},
		"KVNR A123456780":                                {"kvnr:A123456780"},
		"A123456780":                                     {},
		"Personalausweis L01X00T47, Reisepass C01X00T47": {"ausweis:L01X00T47", "pass:C01X00T47"},
		"Artikel L01X00T47":                              {},
		"Führerschein-Nr. B072RRE2I55":                   {"fahrerlaubnis:B072RRE2I55"},
		"SVNR 1237 010180":                               {"svnr_at:1237 010180"},
		"1237 010180":                                    {},
		"756.9217.0769.85 AHV 7569217076985":             {"ahv_ch:756.9217.0769.85", "ahv_ch:7569217076985"},
		"Kennzeichen B-AB 1234, sein Auto: M XY 999E":    {"kennzeichen:B-AB 1234", "kennzeichen:M XY 999E"},
		"Wagen um 14 Uhr, Auto VW 1200":                  {},
		"Kennzeichen W-12345A oder ZH 123456":            {"kennzeichen:W-12345A", "kennzeichen:ZH 123456"},
	})
}

func TestDatesOfBirthAreFound(t *testing.T) {
	check(t, map[string][]string{
		"geb. 15.02.1971 in Köln":                {"birthdate:15.02.1971"},
		"geboren am 15. Februar 1971":            {"birthdate:15. Februar 1971"},
		"Erika (* 15.2.71)":                      {"birthdate:15.2.71"},
		"DOB: February 15, 1971":                 {"birthdate:February 15, 1971"},
		"Geburtsdatum: 1971-02-15":               {"birthdate:1971-02-15"},
		"15.02.1971 (Geburtsdatum)":              {"birthdate:15.02.1971"},
		"Termin am 15.02.2026, Lieferung 1.3.26": {},
		"Geburtstag, Termin am 15.02.2026":       {},
		"gebucht am 15.02.2026":                  {},
	})
}

func TestDisguisesAreSeenThrough(t *testing.T) {
	check(t, map[string][]string{
		"eri\u200bka＠web.de":                                   {"email:eri\u200bka＠web.de"},
		"Tel. ０３０ ２３１２５０１７":                                    {"phone:０３０ ２３１２５０１７"},
		"Tel.\u00a0030\u00a023125\u202f017":                    {"phone:030\u00a023125\u202f017"},
		"DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000": {"iban:DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000"},
		"IBAN „DE89 3704 0044 0532 0130 00“":                   {"iban:DE89 3704 0044 0532 0130 00"},
		"Tel. 030‑23125‑017":                                   {"phone:030‑23125‑017"},
		"Tel. ٠٣٠ ٢٣١٢٥٠١٧":                                    {"phone:٠٣٠ ٢٣١٢٥٠١٧"},
		"Ru\u0308ckruf 030 23125017":                           {"phone:030 23125017"},
		"0\u200d30 231\u00ad25017 anrufen":                     {"phone:0\u200d30 231\u00ad25017"},
	})
}

func TestKindsCanBeChosen(t *testing.T) {
	d := New(Options{Kinds: []Kind{Card}})
	if got := found(d, "erika@web.de 4111 1111 1111 1111"); !slices.Equal(got, []string{"card:4111 1111 1111 1111"}) {
		t.Errorf("found %q", got)
	}
}

func TestTextWithoutCandidatesTakesNoMemory(t *testing.T) {
	d := New(Options{})
	text := strings.Repeat("Herr Müller möchte die Ware („Regal“) zurückgeben – ruft wieder an. ", 20)
	if n := testing.AllocsPerRun(100, func() { d.Find(text) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
