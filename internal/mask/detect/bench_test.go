package detect

import (
	"strings"
	"testing"
)

func BenchmarkFind(b *testing.B) {
	d := New(Options{})
	for name, text := range map[string]string{
		"plain":   "Herr Müller möchte die Ware (Regal) zurückgeben, weil sie beschädigt ankam; er ruft wieder an. ",
		"numbers": "Rechnung 2026-004711 über 1.234,50 Euro vom 14.03.2026, Lieferung 17.03. um 14:30 Uhr, Artikel 0815-12. ",
		"note": "Anruf von Erika Mustermann am 14.03.2026: möchte Angebot 4711 an erika@web.de, Rückruf unter 030 23125017. " +
			"Sie war zufrieden mit der Beratung und wird sich bis Ende des Monats entscheiden, ob sie bestellt.",
		"hostile": "0301 0302 0303 ",
	} {
		text = strings.Repeat(text, 64<<10/len(text))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				d.Find(text)
			}
		})
	}
}
