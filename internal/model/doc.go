// Package model holds the protocols of docs/PROTOCOL.md as small machines and
// explores every interleaving of their steps. It is used by its own tests
// only; the code that runs, the tables and the model change together.
//
// There are two machines. [Calls] is the life of a call: slots, pending bits
// and the hint, doorbells, parking, handlers inline and on goroutines of their
// own, overtaking, giving up, waiting for a slot, shutdown, and the death of
// either side. [Bodies] is the life of body regions and of kept results.
// [Explore] visits all states of either, breadth first, and checks
//
//   - safety in every state: each part of a slot has one owner, a request is
//     run at most once, an answer reaches the call that asked, an honest peer
//     is never taken for a liar;
//   - that whatever must end can still end, from every state, without the help
//     of chance (a death, a context that ends): no wake-up is lost, no slot
//     is lost, no survivor waits for ever.
//
// # Steps
//
// A step is one atomic access to a word that somebody else may use, in shared
// memory or between the goroutines of one process, together with the private
// work up to it. All steps are sequentially consistent, as Go's sync/atomic
// is; weaker orders, and plain accesses to the bytes of a slot, are not
// covered. What is written to the parts of a slot is a ghost: the identity of
// the call. Some steps hold more than one access, or may come at more moments
// than they would in the program. Each was chosen so that no behaviour is lost:
//
//   - Looking in vain changes nothing and is no step. So the worker looks at
//     the hint and at the pending bits in any order, and may go to sleep at
//     any time; so may the watcher, and become idle. The look after that has
//     to find out that it was too early.
//   - Writing a request and storing req, running a handler with its take (and
//     writing its response), reading a result and setting the free bit, are
//     one step each: what lies between is owned by one side, which the checks
//     verify over the whole of that time. Where a second worker may come
//     between, with Overtake, looking at req and taking are two steps.
//   - The watcher looks at a numbered mark and at its rsp in one step: a mark
//     that changes in between fails the compare-and-swap that follows. With
//     bare marks (Recheck) they are two steps.
//   - A reader takes a ring from the socket and puts the token in one step:
//     a ring that is late in the reader is as good as one late in the socket.
//   - A compare-and-swap that is repeated until it succeeds is one step.
//
// Sleep numbers are kept as ages, callers are sorted (they are all alike), and
// so are handlers' goroutines: see Calls.canonical. A trace therefore may call
// one caller by different names before and after a step.
//
// # What is not covered
//
//   - A doorbell number that comes back after 2^32 steps; req and rsp wrap at 4
//     instead, and the instances are large enough to wrap.
//   - CANCEL, which only lets a handler return sooner; handlers may return at
//     any time anyway. A handler that never returns: its slot is then never
//     let go, by design.
//   - Lies. The checks that a peer may fail are there, and Calls finds that
//     honest peers never fail them.
//   - Both sides dying; more callers, calls and slots than the tests name.
//   - Time: the monitor may overtake any handler, any spin may end at once.
//
// # Adding a mutation
//
// A [Mutation] is a seeded mistake that the properties must catch: if they do
// not, either the model is too coarse or the step is not needed. Add a constant
// and its name, test for it at the step in question, and name in the tests an
// instance that shows it; [Explore] finds a shortest trace.
package model
