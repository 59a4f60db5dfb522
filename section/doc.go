// Package section shares typed values by name between the processes of a machine: every process sees the whole of a
// value, can change it, and is told when it changes.
//
//	type Plant struct {
//		Temperature float64
//		Jobs        uint32
//		Name        [32]byte
//	}
//
//	s, err := section.Open[Plant]("plant/line1") // create or join
//	...
//	defer s.Close()
//	v, err := s.Load()
//	err = s.Store(v)
//	err = s.Update(ctx, func(p *Plant) error { p.Jobs++; return nil })
//	for change, err := range s.Watch(ctx) {
//		... // change.Value, change.Version, change.Skipped
//	}
//
// # Values
//
// A type without pointers, strings and the like has a fixed layout, and lies in shared memory as it is: loading it
// is a copy, without a lock or a system call. A []byte is as many bytes as [MaxSize] says at
// most. Every other type is stored as a document in CBOR, as package call has it too, and costs what encoding and
// decoding cost. Texts of fixed layouts are arrays of bytes: [Text] and [PutText].
//
// # What is promised
//
//   - A load returns a value that somebody has stored, never parts of two.
//   - Versions count the stores. They never go back, and no completed [Section.Update] is lost.
//   - A process that ends at any moment, of whatever cause, has stored all or nothing, and is in nobody's way.
//   - A watcher gets the newest version, in the end; it sleeps meanwhile, and a store without sleepers makes no system
//     call.
//   - A process that is stopped while it stores is in the way of other writers, not of readers. They
//     say so when their context ends, or their [Patience].
//
// # Growing
//
// Fields are matched by their names. A program with a field that the section lacks makes it grow; one
// that lacks a field leaves it as it is. So programs can be replaced one by one. A field whose kind has
// changed is an error that wraps [partywall.ErrLayout] and names it. A document is replaced as a whole; its types agree as those of
// methods do, see docs/GUIDE.md. A program's type is compared with that of the program that made the section: of two
// that come later, with fields of the same name that the first one lacks, each may fail to read what the other stores.
//
// # Life
//
// A section lives while a process has it open, and with [Keep] until it is removed. It belongs to its user; [Group]
// shares it. docs/PROTOCOL.md has the protocol, docs/LAYOUT.md every byte, for programs in other languages.
package section
