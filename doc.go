// Package partywall holds the vocabulary that its sub-packages share: the
// sentinel errors and the rule for names. The work is done in the packages
// below it:
//
//   - [github.com/partywall/partywall/call]: synchronous calls to another
//     process on the same machine, whose argument and result lie in memory that
//     both have mapped.
//   - [github.com/partywall/partywall/section]: named, typed state that many
//     processes read, update and watch.
//
// The processes need no broker. A short call between two processes that are
// awake makes no system call.
package partywall
