// Package wait is how one side of a conn waits for the other: it spins while
// the recent past says that the answer will come sooner than a wake would cost,
// and otherwise sleeps behind a doorbell, so that the other side makes a system
// call only for a sleeper.
//
//   - [Predictor] decides whether to spin, [Turn] is one spin.
//   - [Sleeper] and [Bell] are the two ends of a doorbell word in shared memory;
//     docs/PROTOCOL.md, "Doorbells", says why no wake-up is lost.
//
// The package makes no system call: who parks and what rings is the caller's.
package wait
