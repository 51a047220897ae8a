package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/crmgate/crmgate/internal/doc"
)

const canary = "Kanarella"

// workbook is an export with a value in every place that a workbook has for one.
func workbook(t testing.TB, change func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.SetSheetRow("Sheet1", "A1", &[]any{"Nr.", "Name", "Geboren", "Umsatz"}))
	must(f.SetSheetRow("Sheet1", "A2", &[]any{7, canary, time.Date(1959, 7, 13, 0, 0, 0, 0, time.UTC), 1234.5}))
	must(f.SetSheetRow("Sheet1", "A3", &[]any{8, "=cmd!x", "", "0049"}))
	must(f.SetColVisible("Sheet1", "B", false))
	must(f.AddComment("Sheet1", excelize.Comment{Cell: "A1", Author: canary, Text: canary}))
	must(f.SetDocProps(&excelize.DocProperties{Creator: canary, Title: canary}))
	must(f.SetDefinedName(&excelize.DefinedName{Name: canary, RefersTo: "Sheet1!$A$1", Comment: canary}))
	_, err := f.NewSheet("Geheim")
	must(err)
	must(f.SetCellStr("Geheim", "A1", canary))
	must(f.SetSheetVisible("Geheim", false))
	must(f.SetHeaderFooter("Sheet1", &excelize.HeaderFooterOptions{OddHeader: canary}))
	must(f.SetCellHyperLink("Sheet1", "A2", "https://crm.example/"+canary, "External"))
	if change != nil {
		change(f)
	}
	var out bytes.Buffer
	must(f.Write(&out))
	return out.Bytes()
}

// unpacked is everything that stands in an archive.
func unpacked(t testing.TB, src []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(src), int64(len(src)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
		all.WriteString(part.Name + part.Comment)
	}
	return all.String() + z.Comment
}

func outline(tree *doc.Tree) string {
	var rows []string
	for row := range tree.Children(doc.Root) {
		var cells []string
		for c := range tree.Children(row) {
			cells = append(cells, tree.Text(c))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return strings.Join(rows, "\n")
}

func TestCellsOfTheFirstVisibleSheetAreRead(t *testing.T) {
	tree, err := Parse(workbook(t, nil), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := outline(tree), "Nr.|Name|Geboren|Umsatz\n7|"+canary+"|1959-07-13|1234.5\n8|=cmd!x||0049"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	tree, err = Parse(workbook(t, func(f *excelize.File) {
		f.SetSheetVisible("Geheim", true)
		f.SetActiveSheet(1)
		f.SetSheetVisible("Sheet1", false)
	}), doc.DefaultLimits())
	if err != nil || outline(tree) != canary {
		t.Errorf("%v: %s", err, outline(tree))
	}
}

// What isn't a cell of that sheet is left out, and a masked cell is nowhere.
func TestBuiltWorkbookHoldsTheCellsAlone(t *testing.T) {
	src := workbook(t, nil)
	if !strings.Contains(unpacked(t, src), canary) {
		t.Fatal("the workbook holds no value")
	}
	tree, err := Parse(src, doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var edits []doc.Edit
	for i, n := range tree.Nodes {
		if n.Kind == doc.String && tree.Text(i) == canary {
			edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: "••••••"})})
		}
	}
	cells, err := doc.Splice(nil, tree.Src, edits)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Build(cells)
	if err != nil {
		t.Fatal(err)
	}
	if all := unpacked(t, out); strings.Contains(all, canary) || strings.Contains(all, "Geheim") {
		t.Errorf("a value stays in %s", all)
	}
	again, err := Parse(out, doc.DefaultLimits())
	if want := "Nr.|Name|Geboren|Umsatz\n7|••••••|1959-07-13|1234.5\n8|=cmd!x||0049"; err != nil || outline(again) != want {
		t.Fatalf("%v: got %s, want %s", err, outline(again), want)
	}
	f, err := excelize.OpenReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]excelize.CellType{"D2": excelize.CellTypeUnset, "D3": excelize.CellTypeSharedString, "B3": excelize.CellTypeSharedString} {
		if got, err := f.GetCellType("Sheet1", cell); err != nil || got != want {
			t.Errorf("%s is of the type %d, want %d", cell, got, want)
		}
		if formula, err := f.GetCellFormula("Sheet1", cell); err != nil || formula != "" {
			t.Errorf("%s is a formula: %s", cell, formula)
		}
	}
}

func TestReplacedCellsStayInTheirPlaces(t *testing.T) {
	tree, err := Parse(workbook(t, nil), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range []string{"", "x\x1fy\x1e", "\x00\xff", "=1+1", "<v>", strings.Repeat("ä", 40_000)} {
		for i, n := range tree.Nodes {
			if n.Kind != doc.String || with == "" && i < 7 {
				continue // the first row's last cell is as wide as the row
			}
			cells, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: with})}})
			if err != nil {
				t.Fatal(err)
			}
			out, err := Build(cells)
			if err != nil {
				t.Fatalf("%.20q: %v", with, err)
			}
			again, err := Parse(out, doc.DefaultLimits())
			if err != nil || strings.Count(outline(again), "|") != strings.Count(outline(tree), "|")+strings.Count(with, "|") {
				t.Fatalf("%.20q in the place of cell %d: %v, %.200s", with, i, err, outline(again))
			}
		}
	}
}

// parts is an archive of these parts.
func parts(t testing.TB, list ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(list); i += 2 {
		w, err := z.Create(list[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, list[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsNoWorkbookOrTooLargeIsRefused(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // nothing may be unpacked into files
	many := make([]string, 0, 2*(maxParts+1))
	for i := range maxParts + 1 {
		many = append(many, fmt.Sprint("x", i), "")
	}
	wide := workbook(t, func(f *excelize.File) {
		for i := range 40 {
			f.SetCellStr("Sheet1", fmt.Sprintf("XFD%d", i+4), "x")
		}
	})
	for name, c := range map[string]struct {
		src  []byte
		want string
	}{
		"text":                 {[]byte("Nr.;Name"), "no archive"},
		"half a workbook":      {workbook(t, nil)[:2000], "no archive"},
		"other archive":        {parts(t, "a.txt", canary), "malformed"},
		"too many parts":       {parts(t, many...), "more than 512 parts"},
		"bomb":                 {parts(t, "xl/worksheets/sheet1.xml", strings.Repeat(" ", maxUnpacked+1)), "more than 32 MiB"},
		"bomb in pieces":       {parts(t, "a", strings.Repeat(" ", maxUnpacked/2+1), "b", strings.Repeat(" ", maxUnpacked/2)), "more than 32 MiB"},
		"part given twice":     {parts(t, "xl/workbook.xml", "<a/>", `XL\workbook.xml`, "<b/>"), "given twice"},
		"many columns":         {wide, "cells"},
		"broken workbook part": {parts(t, "xl/workbook.xml", "<workbook><sheets><sheet name='a'", "[Content_Types].xml", "<Types/>"), "malformed"},
	} {
		_, err := Parse(c.src, doc.DefaultLimits())
		if !errors.Is(err, doc.ErrMalformed) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse(workbook(t, nil), doc.Limits{Depth: 3, Nodes: 8}); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("more cells than the limit: %v", err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// FuzzParse holds that no sheet leads to a panic, to a tree that points outside or
// to cells that can't be built and read again.
func FuzzParse(f *testing.F) {
	whole := workbook(f, nil)
	sheet, texts := part(f, whole, "xl/worksheets/sheet1.xml"), part(f, whole, "xl/sharedStrings.xml")
	f.Add(sheet, texts)
	f.Add(`<worksheet><sheetData><row r="3"><c r="B2" t="inlineStr"><is><t>x</t></is></c><c t="b"><v>1</v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c></row></sheetData></worksheet>`, "")
	f.Add(`<worksheet><sheetData><row><c r="A1" s="9"><v>1e400</v></c><c r="C1" t="s"><v>-1</v></c></row><row r="-2"/></sheetData></worksheet>`, texts)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		src := parts(
			t, "[Content_Types].xml", part(t, whole, "[Content_Types].xml"), "xl/workbook.xml", part(t, whole, "xl/workbook.xml"),
			"xl/_rels/workbook.xml.rels", part(t, whole, "xl/_rels/workbook.xml.rels"), "xl/styles.xml", part(t, whole, "xl/styles.xml"),
			"_rels/.rels", part(t, whole, "_rels/.rels"), "xl/worksheets/sheet1.xml", sheet, "xl/sharedStrings.xml", texts,
		)
		tree, err := Parse(src, doc.Limits{Depth: 3, Nodes: 2000})
		if err != nil {
			if !errors.Is(err, doc.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		out, err := Build(tree.Src)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(out, doc.DefaultLimits())
		if err != nil || outline(again) != outline(tree) {
			t.Fatalf("%v: %q became %q", err, outline(tree), outline(again))
		}
	})
}

// part is what one part of an archive holds.
func part(t testing.TB, src []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(src), int64(len(src)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
