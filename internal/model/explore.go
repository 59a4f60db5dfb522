package model

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// A Succ is a state that one step leads to: who moved, and what it did.
type Succ[S comparable] struct {
	Who, What string // constants: exploring formats nothing
	State     S

	// Chance marks a step that need never happen: a death, a context that
	// ends. Such steps are explored, but nothing may rely on them to get on.
	Chance bool
}

// A Machine is a finite transition system. S must hold the whole state by
// value: two states are the same exactly when they compare equal.
type Machine[S comparable] interface {
	// Init returns the initial state.
	Init() S

	// Next appends every successor of s to out and returns it. An actor that
	// waits, or spins in vain, contributes none.
	Next(s *S, out []Succ[S]) []Succ[S]

	// Check returns the safety property that s violates, or "".
	Check(s *S) string

	// Goal returns "" if everything that has to end has ended in s, and
	// otherwise the property that is violated if nothing more happens.
	Goal(s *S) string
}

// A Violation is a property together with a shortest run that violates it.
type Violation struct {
	Property string
	Trace    []string
}

// String returns the property and the trace, one step to a line.
func (v *Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, after %d steps:", v.Property, len(v.Trace))
	for i, l := range v.Trace {
		fmt.Fprintf(&b, "\n%4d  %s", i+1, l)
	}
	return b.String()
}

// A Result says what an exploration found. States and Transitions cover the
// whole machine only if Violation is nil and Complete is true.
type Result struct {
	States      int
	Transitions int
	Terminal    int // states without a successor but by chance
	Complete    bool
	Violation   *Violation
}

// Explore visits every reachable state of m, breadth first, so that a
// counterexample is as short as one can be. It stops at the first violation
// of
//
//   - Check, in any state;
//   - Goal, in a state without successors but by chance (nothing moves any more);
//   - Goal, in a state from which no state that satisfies it can be reached
//     without chance (things move for ever without getting anywhere).
//
// A limit above 0 bounds the number of states; Complete says whether it sufficed.
func Explore[S comparable](m Machine[S], limit int) Result {
	e := explorer[S]{seed: maphash.MakeSeed(), table: make([]uint64, 1<<16)}
	e.add(m.Init(), 0)
	var r Result
	var out []Succ[S]
	for i := 0; i < e.n; i++ {
		if limit > 0 && e.n > limit {
			r.States = e.n
			return r
		}
		s := e.at(i)
		if p := m.Check(s); p != "" {
			r.Violation = e.violation(m, i, p)
			break
		}
		out = m.Next(s, out[:0])
		goal := m.Goal(s)
		e.reach = append(e.reach, goal == "")
		r.Transitions += len(out)
		if !slices.ContainsFunc(out, func(n Succ[S]) bool { return !n.Chance }) {
			r.Terminal++
			if goal != "" {
				r.Violation = e.violation(m, i, goal)
				break
			}
		}
		for k := range out {
			if t := e.add(out[k].State, uint32(i)); !out[k].Chance {
				e.edges = append(e.edges, t)
			}
		}
		e.ends = append(e.ends, uint32(len(e.edges)))
	}
	r.States = e.n
	if r.Violation != nil {
		return r
	}
	r.Complete = true
	if i := e.hopeless(); i >= 0 {
		r.Violation = e.violation(m, i, "no end can be reached any more: "+m.Goal(e.at(i)))
	}
	return r
}

const chunk = 1 << 14

// An explorer holds the visited states in the order of discovery. The table
// maps a hash to an index, so that each state is stored once.
type explorer[S comparable] struct {
	seed   maphash.Seed
	n      int
	chunks [][]S
	table  []uint64 // open addressing: high half of the hash, index+1
	parent []uint32
	edges  []uint32 // successors of all states, in order, except those by chance
	ends   []uint32 // where a state's successors end in edges
	reach  []bool   // whether the goal can be reached
}

func (e *explorer[S]) at(i int) *S { return &e.chunks[i/chunk][i%chunk] }

// add returns the index of s, which it stores if it is new.
func (e *explorer[S]) add(s S, parent uint32) uint32 {
	h := maphash.Comparable(e.seed, s)
	mask := uint64(len(e.table) - 1)
	k := h & mask
	for ; e.table[k] != 0; k = (k + 1) & mask {
		if v := e.table[k]; v>>32 == h>>32 && *e.at(int(uint32(v)) - 1) == s {
			return uint32(v) - 1
		}
	}
	if e.n%chunk == 0 {
		e.chunks = append(e.chunks, make([]S, 0, chunk))
	}
	last := len(e.chunks) - 1
	e.chunks[last] = append(e.chunks[last], s)
	e.parent = append(e.parent, parent)
	e.n++
	e.table[k] = h&^0xffffffff | uint64(e.n)
	if e.n*3 > len(e.table)*2 {
		e.grow()
	}
	return uint32(e.n - 1)
}

// grow doubles the table. The full hash is not stored, hence computed again.
func (e *explorer[S]) grow() {
	table := make([]uint64, 2*len(e.table))
	mask := uint64(len(table) - 1)
	for _, v := range e.table {
		if v == 0 {
			continue
		}
		k := maphash.Comparable(e.seed, *e.at(int(uint32(v)) - 1)) & mask
		for table[k] != 0 {
			k = (k + 1) & mask
		}
		table[k] = v
	}
	e.table = table
}

// hopeless returns the first state from which the goal cannot be reached, or
// -1. It sweeps backwards until nothing changes: breadth-first order makes
// most edges point forward, so a few sweeps suffice and no reverse graph is
// needed.
func (e *explorer[S]) hopeless() int {
	for changed := true; changed; {
		changed = false
		for i := e.n - 1; i >= 0; i-- {
			if e.reach[i] {
				continue
			}
			from := uint32(0)
			if i > 0 {
				from = e.ends[i-1]
			}
			for _, t := range e.edges[from:e.ends[i]] {
				if e.reach[t] {
					e.reach[i], changed = true, true
					break
				}
			}
		}
	}
	for i, ok := range e.reach {
		if !ok {
			return i
		}
	}
	return -1
}

// violation builds the trace to state i: it walks up the parents and finds
// each step again among its parent's successors.
func (e *explorer[S]) violation(m Machine[S], i int, property string) *Violation {
	v := &Violation{Property: property}
	for i != 0 {
		up := int(e.parent[i])
		for _, n := range m.Next(e.at(up), nil) {
			if n.State == *e.at(i) {
				v.Trace = append(v.Trace, n.Who+": "+n.What)
				break
			}
		}
		i = up
	}
	slices.Reverse(v.Trace)
	return v
}
