package detect

import "testing"

// The numbers come from public documentation and test suites (ECBS, GKV, VKVV,
// ICAO 9303, python-stdnum, Presidio) and belong to nobody.
func TestCheckDigits(t *testing.T) {
	for name, c := range map[string]struct {
		check        func([]byte) bool
		right, wrong []string
	}{
		"luhn":         {luhn, []string{"4111111111111111", "378282246310005", "5555555555554444", "6011111111111117"}, []string{"4111111111111112", "378282246310050"}},
		"mod97":        {mod97, []string{"DE89370400440532013000", "AT611904300234573201", "CH9300762011623852957", "GB29NWBK60161331926819", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"}, []string{"DE88370400440532013000", "AT611904300234573202"}},
		"tax id":       {mod1110, []string{"65929970489", "12345678903", "98765432106", "11234567890", "11123456786", "02476291358"}, []string{"12345678901", "98765432100", "65929970498"}},
		"repeats":      {taxIDRepeats, []string{"65929970489", "11234567890", "11123456786"}, []string{"12345678903", "11112345678", "11223456785"}},
		"german vat":   {mod1110, []string{"136695976", "115235681"}, []string{"136695978"}},
		"austrian vat": {austrianVAT, []string{"13585627"}, []string{"13585626"}},
		"swiss vat":    {swissVAT, []string{"100155212"}, []string{"100155213"}},
		"pension":      {pensionCheck, []string{"15070649C103", "65070803A019", "20151090B023", "38551285K051"}, []string{"15070649C100", "65070803A012"}},
		"health":       {healthCheck, []string{"A000500015", "C000500021", "A123456780", "M123456785", "Z999999997"}, []string{"A123456787", "M123456789"}},
		"austrian":     {austrianCheck, []string{"1237010180"}, []string{"2237010180", "1237010181", "0000010180"}},
		"swiss":        {ean, []string{"7569217076985"}, []string{"7569217076984"}},
		"icao":         {icao, []string{"L01X00T471", "C01X00T478", "L898902C36"}, []string{"L01X00T472", "L01X00T4X1"}},
	} {
		for _, id := range c.right {
			if !c.check([]byte(id)) {
				t.Errorf("%s: %s is right", name, id)
			}
		}
		for _, id := range c.wrong {
			if c.check([]byte(id)) {
				t.Errorf("%s: %s is wrong", name, id)
			}
		}
	}
}
