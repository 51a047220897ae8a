package page

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"
)

const (
	side    = 64 // pixels
	samples = 8  // per pixel and direction, for smooth edges
)

// TestNeutralImageIsTheDrawnOne compares the pixels with the drawing below;
// UPDATE=1 writes the file.
func TestNeutralImageIsTheDrawnOne(t *testing.T) {
	want := drawNeutral()
	if os.Getenv("UPDATE") == "1" {
		var buf bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&buf, want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("neutral.png", buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		NeutralImage = buf.Bytes()
	}
	if len(NeutralImage) >= 1024 {
		t.Errorf("the picture has %d bytes, want less than 1024", len(NeutralImage))
	}
	got, err := png.Decode(bytes.NewReader(NeutralImage))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Fatalf("bounds %v, want %v", got.Bounds(), want.Bounds())
	}
	for y := range side {
		for x := range side {
			if got, want := color.GrayModel.Convert(got.At(x, y)), color.GrayModel.Convert(want.At(x, y)); got != want {
				t.Fatalf("pixel %d,%d is %v, want %v; UPDATE=1 go test ./internal/page writes the file", x, y, got, want)
			}
		}
	}
}

// drawNeutral draws a shield with a bar across it on a light tile, in sixteen
// greys. There is nobody in it: a silhouette would look like a person's picture
// that is missing.
func drawNeutral() *image.Paletted {
	const light, dark = 0xe6, 0xa6
	var greys color.Palette
	for i := range 16 {
		greys = append(greys, color.Gray{Y: uint8(light - (light-dark)*i/15)})
	}
	img := image.NewPaletted(image.Rect(0, 0, side, side), greys)
	for y := range side {
		for x := range side {
			covered := 0
			for i := range samples * samples {
				if inMark(float64(x)+(float64(i%samples)+.5)/samples, float64(y)+(float64(i/samples)+.5)/samples) {
					covered++
				}
			}
			img.SetColorIndex(x, y, uint8(15*covered/(samples*samples)))
		}
	}
	return img
}

func inMark(x, y float64) bool {
	const cx, bar = side / 2, 2.0
	if y > 31-bar && y < 31+bar && x > cx-7 && x < cx+7 {
		return true
	}
	return inShield(x, y, 0) && !inShield(x, y, 3)
}

// inShield reports whether a point lies in the shield, drawn in by inset pixels.
func inShield(x, y, inset float64) bool {
	const cx, top, shoulder, bottom, half = side / 2, 14.0, 30.0, 51.0, 16.0
	dx := max(x-cx, cx-x)
	if y < shoulder { // the upper edge rises to the middle
		return dx < half-inset && y > top+5*dx/half+inset
	}
	t := (y - shoulder) / (bottom - inset*1.2 - shoulder)
	return t < 1 && dx < (half-inset)*(1-t*t)
}
