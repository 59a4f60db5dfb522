// Package model holds the protocols of docs/PROTOCOL.md as small machines and
// explores every interleaving of their steps. It is used by its own tests
// only; the code that runs, the tables and the model change together.
//
// Of a call there are three machines. [Calls] is the life of a call: slots, pending bits
// and the hint, doorbells, parking, handlers inline and on goroutines of their
// own, overtaking, giving up, leases, waiting for a slot, shutdown, the death of
// either side, and what the client does from the end of the conn until it unmaps
// the memory. [Bodies] is the life of body regions and of kept results. [Cancels]
// is what becomes of a CANCEL. [Links] is what takes the socket's place on Windows: rings
// of frames, their events and ends, and handles that are on their way. Of a section there are four: see
// below. [Explore] visits all states of each, breadth first, and checks
//
//   - safety in every state: each part of a slot has one owner, a request is
//     run at most once, an answer reaches the call that asked, an honest peer
//     is never taken for a liar, memory is mapped for as long as anybody may
//     touch it; the value of a section is whole and that of its version, no store
//     is lost, and no reader returns a mixture or goes back; messages arrive whole,
//     in order and once, and a handle is closed once, by its owner;
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
//   - A sleeping worker that takes a token wakes, or dozes. In a doze it publishes a new sleep,
//     looks at the hinted slot and then once at the pending bits, runs what it finds, and parks
//     without another look. In the program it is the reader that dozes for the worker; here it
//     is the worker itself, while the reader goes on reading. So the program has to see to it that
//     one of them has the role, and that somebody reads rings for the standby when the monitor
//     overtakes a doze: call/doze_test.go.
//   - Writing a request and storing req, running a handler with its take (and
//     writing its response), reading a result and setting the free bit, are
//     one step each: what lies between is owned by one side, which the checks
//     verify over the whole of that time. Where a second worker may come
//     between, with Overtake, looking at req and taking are two steps. So the
//     function of a lease has no steps of its own: it may touch the slot at any
//     moment, and the checks verify that it is the lease's and mapped.
//   - The watcher looks at a numbered mark and at its rsp, and takes the mark, in
//     one step: a mark that changes in between fails the compare-and-swap, and the
//     look was in vain. With bare marks (Recheck) they are three steps.
//   - With List, the list of slots is a word of its own: the watcher loads it and
//     then looks at each slot in it, which may have changed hands meanwhile.
//     Without it, the list is the marks. In the program the watcher's second look
//     before it sleeps deals with what it finds; here it only finds, wakes, and
//     deals with it in the next look.
//   - A caller looks at rsp and at the end of the conn in one step where it looks
//     at both: either makes it go on in the same way, and neither is taken back.
//     So do a claim and the look at the end behind it: an end that comes between
//     them is like one that comes later, when the request is published in vain.
//   - A reader takes a ring from the socket and puts the token in one step:
//     a ring that is late in the reader is as good as one late in the socket.
//   - A compare-and-swap that is repeated until it succeeds is one step.
//   - Of a link: who begins to use the memory looks at the ends of both sides in the
//     same step. A frame is copied in with the look at read, the first moment at which it may be, and
//     out with the store of read, the last one. A callback stores what has happened in the step
//     in which it takes the signal, and gives its tokens in one other: they are for different goroutines.
//
// Sleep numbers are kept as ages, callers are sorted (they are all alike), and
// so are handlers' goroutines: see Calls.canonical. A trace therefore may call
// one caller by different names before and after a step.
//
// # Sections
//
// The protocol of a section is taken apart into machines that are small enough to be
// explored with the death of every process at every step:
//
//   - [Holds]: numbers, marks and the lock. One participant holds the lock of a region; who
//     wants it gets it, or follows, whoever has died and whoever has got a dead one's number.
//   - [Cells]: small values, and updates. No reader returns a mixture, and no update is lost.
//   - [Pins]: large values. The same, and a writer finds a cell.
//   - [Sections]: waking, and growing. Each watcher sees the last version, and no store is
//     lost on the way to a successor.
//
// What one of them shows the others take for granted, and each of these contracts is
// about words that the others do not touch. Cells, Pins and Sections give the lock of
// a dead holder to whoever wants it in one step, and never give his number to anybody: Holds shows
// that a living holder is never robbed, that a dead one is found out, and that a hold that
// has been asked about is the hold that is taken. Holds in its turn asks of a holder only that he
// releases or dies. Sections copies a value in one step with the switch: Cells and Pins show that
// a load is as if it had happened at one moment, whatever the writers do, and a cell
// that is not current is nobody's but the holder's. A region that has moved never
// changes, and nobody attaches to the next one before it is whole, so that
// Cells and Pins speak of one region. Pins of another region only keep a writer from a cell
// for longer.
//
// Further steps that hold more than one access:
//
//   - A writer looks at the switch word in the step in which it takes the lock (Cells, Pins):
//     nobody else changes it meanwhile.
//   - A number that a newcomer does not get is given back before he tries the next, and he has
//     the name lock all the while.
//   - The bell is kept as a bit for each watcher: whether it has changed since the watcher has
//     loaded it. To compare the bell and to fall asleep is one step, as it is for a futex.
//   - To load current and to attach is one step: a region that has lost its name meanwhile makes
//     one load current again.
//   - A copy has two words, copied in any order, and each word is one step.
//
// A stopped process is one whose steps are chance (Stops): nobody relies on them.
//
// # What is not covered
//
//   - A doorbell number that comes back after 2^32 steps; req and rsp wrap at 4
//     instead, and the instances are large enough to wrap.
//   - In Calls, CANCEL, which only lets a handler return sooner; handlers may
//     return at any time anyway. A handler that never returns: its slot is then
//     never let go, by design.
//   - A body region that is unmapped with the conn: it goes with its slot, whose
//     memory Calls speaks about.
//   - Lies. The checks that a peer may fail are there, and Calls finds that
//     honest peers never fail them.
//   - Of a link: how it is joined, memory that the server asks for, messages of several
//     frames, a message that may not wait while another does, words that wrap.
//   - Both sides of a conn dying; more callers, calls and slots than the tests name.
//   - Time: the monitor may overtake any handler, any spin may end at once.
//   - Of sections: versions, tickets and incarnations that wrap; merging and the conversion of
//     values; the creation, the removal and the names of files; errors and contexts that end;
//     mappings that go on too long; a writer that is lapped while it updates for ever.
//
// # Adding a mutation
//
// A [Mutation], and its like for each other machine, is a seeded mistake that the properties must catch: if they do
// not, either the model is too coarse or the step is not needed. Add a constant
// and its name, test for it at the step in question, and name in the tests an
// instance that shows it; [Explore] finds a shortest trace.
package model
