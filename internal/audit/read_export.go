package audit

import (
	"context"
	"errors"
	"fmt"
)

// ReadExport verifies an export as VerifyExport does and calls visit for each of its
// entries that can be opened, in order, on the way. An export without data keys is
// ErrKey. What was visited counts for nothing where an error is returned.
func ReadExport(
	ctx context.Context, dir, vkey string, visit func(s *Stored) error, progress func(done, total int64),
) (ExportReport, error) {
	x := &exportCheck{dir: dir, progress: progress, bad: -1, visit: visit}
	err := x.run(ctx, vkey)
	if err == nil && !x.report.Opened {
		err = errors.Join(ErrKey, errors.New("the export holds no data keys: it was made without --with-keys"))
	}
	if err != nil {
		err = fmt.Errorf("reading the export: %w", err)
	}
	return x.report, err
}
