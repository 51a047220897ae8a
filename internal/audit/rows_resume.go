package audit

import (
	"fmt"
	"slices"
)

// filesOf are the files of a log: of a directory, or of a database.
func filesOf(dir string, rows Rows) files {
	if rows != nil {
		return newRowFiles(rows)
	}
	return osFiles{dir}
}

// resume goes on after a failed write to a database. A connection that breaks
// tells nothing of the commit that was under way: the database does. Whoever waited
// for it was told of an error; the entries are the log's now, or never will be.
func (w *writer) resume(rows *rowFiles) error {
	mark, err := rows.resume()
	if err != nil {
		return storageError(err)
	}
	d := w.doubt
	switch {
	case mark == markAt(w.tree):
	case d != nil && mark == markAt(d.tree):
		w.tree, w.end, w.headed = d.tree, d.end, true
		for _, p := range d.batch {
			if p.closes != 0 {
				w.open.remove(p.closes)
			}
		}
		w.publish()
	case mark.Size < w.tree.size:
		return fmt.Errorf("%w: it has %d entries of %d", ErrBehind, mark.Size, w.tree.size)
	default:
		return fmt.Errorf("%w: it has %d entries, this process wrote %d", ErrFenced, mark.Size, w.tree.size)
	}
	w.doubt = nil
	return nil
}

func markAt(t tree) Mark { return Mark{Size: t.size, Root: t.root()} }

// withHead adds to the checkpoints where the database says that the log ends. It
// isn't signed; that it is further than the log is damage all the same.
func withHead(fsys files, marks []Checkpoint) ([]Checkpoint, error) {
	rows, ok := fsys.(*rowFiles)
	if !ok {
		return marks, nil
	}
	ctx, cancel := rowsContext()
	defer cancel()
	mark, err := rows.rows.Mark(ctx)
	if err != nil || mark.Size == 0 {
		return marks, rowsError(err)
	}
	marks = append(slices.Clip(marks), Checkpoint{Size: mark.Size, Root: mark.Root, Name: "the log's head", counted: true})
	slices.SortStableFunc(marks, bySize)
	return marks, nil
}
