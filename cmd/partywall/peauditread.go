package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/pe"
)

// audit is what pe audit finds out.
type audit struct {
	options pe.AuditOptions
	jobs    int

	files   []auditFile    // in the order of the command line, and of their names
	seen    map[string]int // their indexes
	skipped int            // links, devices and the like

	listed, done atomic.Int64 // files
}

// auditFile is a file, or what could not be read.
type auditFile struct {
	report pe.Report
	named  bool // by the user
	found  bool // it is a file, and to be read
	other  bool // it is no PE file, and skipped
}

func newAudit(p *auditPlan) *audit {
	return &audit{options: pe.AuditOptions{Checksum: p.checksum}, jobs: p.jobs, seen: map[string]int{}}
}

// read finds the files and audits them. It fails if it is interrupted.
func (a *audit) read(ctx context.Context, paths []string) error {
	end := newProgress().during(func(time.Duration) string {
		done, all := a.done.Load(), a.listed.Load()
		return fmt.Sprintf("audited %d of %s, %d %%", done, counted(int(all), "file"), 100*done/max(1, all))
	})
	defer end()
	for _, path := range paths {
		if err := a.find(ctx, path); err != nil {
			return err
		}
	}
	var workers sync.WaitGroup
	var next atomic.Int64
	for range min(a.jobs, len(a.files)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(a.files)) {
					return
				}
				a.one(ctx, &a.files[i])
				a.done.Add(1)
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// find lists the files of a path that the user named.
func (a *audit) find(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		a.add(auditFile{report: pe.Report{File: path, Err: systemOf(err)}, named: true})
		return nil
	case info.Mode().IsRegular():
		a.add(auditFile{report: pe.Report{File: path}, named: true, found: true})
		return nil
	case !info.IsDir():
		a.add(auditFile{report: pe.Report{File: path, Err: errors.New("neither a file nor a folder")}, named: true})
		return nil
	}
	root := path
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		root += string(filepath.Separator) // the folder, and not the link to it
	}
	return filepath.WalkDir(root, func(inner string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			a.add(auditFile{report: pe.Report{File: inner, Err: systemOf(err)}, named: filepath.Clean(inner) == filepath.Clean(path)})
		case d.Type().IsRegular():
			a.add(auditFile{report: pe.Report{File: inner}, found: true})
		case !d.IsDir():
			a.skipped++
		}
		return nil
	})
}

// add lists a file once, however often it is named.
func (a *audit) add(f auditFile) {
	f.report.File = filepath.Clean(f.report.File)
	i, seen := a.seen[f.report.File]
	if seen {
		a.files[i].named = a.files[i].named || f.named
		return
	}
	a.seen[f.report.File] = len(a.files)
	a.files = append(a.files, f)
	a.listed.Add(1)
}

// one audits a file.
func (a *audit) one(ctx context.Context, f *auditFile) {
	if !f.found {
		return
	}
	file, err := os.Open(f.report.File)
	if err != nil {
		f.report.Err = systemOf(err)
		return
	}
	defer file.Close()
	if f.other, err = foreign(file); err != nil || f.other {
		if f.other && f.named {
			f.other, err = false, errors.New(`it does not begin with "MZ", as programs and libraries do`)
		}
		f.report.Err = systemOf(err)
		return
	}
	info, err := file.Stat()
	if err != nil {
		f.report.Err = systemOf(err)
		return
	}
	image, err := pe.New(boundReader{ctx, file}, info.Size())
	if err == nil {
		f.report.Machine = image.Machine
		f.report.Findings, err = a.options.Audit(image)
	}
	f.report.Err = systemOf(err)
}

// boundReader reads until a context ends: a whole file can take long.
type boundReader struct {
	ctx context.Context
	r   io.ReaderAt
}

func (b boundReader) ReadAt(p []byte, off int64) (int, error) {
	if err := context.Cause(b.ctx); err != nil {
		return 0, err
	}
	return b.r.ReadAt(p, off)
}

// foreign reports whether a file cannot be a PE file, by its first two bytes.
func foreign(file *os.File) (bool, error) {
	var magic [2]byte
	_, err := file.ReadAt(magic[:], 0)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return string(magic[:]) != "MZ", err
}

// systemOf is an error without the path, which is named before it, and nil if there is none.
func systemOf(err error) error {
	if system := (*fs.PathError)(nil); errors.As(err, &system) {
		return system.Err
	}
	return err
}
